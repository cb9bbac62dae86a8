// Logout tokens of an independent provider, oidc-provider, at both examples of revocation; and the Events API of auth0-local,
// as two clients read it: `eventsource`, and that of the npm package `auth0`.
//
//     node logout.mjs AUTH0_LOCAL PROGRAM...
//
// AUTH0_LOCAL is the program of that name. Each PROGRAM is an example of revocation, which this script starts and ends.
// `.ci/clients` names them.
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { generateKeyPairSync } from 'node:crypto'
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { Management, ManagementClient } from 'auth0'
import { EventSource } from 'eventsource'
import Provider from 'oidc-provider'

const [auth0Local, ...programs] = process.argv.slice(2)
assert.ok(programs.length > 0, 'usage: node logout.mjs AUTH0_LOCAL PROGRAM...')

const AUDIENCE = 'https://messages.test'
// All of it takes a few seconds.
const DEADLINE = 120_000
// How long a stream may go on after the logout, in milliseconds.
const SECOND = 1000

let checks = 0
function passed(what) {
  checks += 1
  console.log(`ok ${what}`)
}

// The programs end with this script. By SIGKILL: actix-web waits for open connections.
const children = []
process.on('exit', () => children.forEach((child) => child.kill('SIGKILL')))
for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => process.exit(1))
setTimeout(() => {
  console.error(`logout.mjs is not done after ${DEADLINE / 1000} s`)
  process.exit(1)
}, DEADLINE).unref()

// Starts a program, and returns the rest of the first line that begins with `until`.
async function start(command, until, variables) {
  const environment = Object.entries(process.env).filter(([name]) => !name.startsWith('AUTH0_'))
  const env = { ...Object.fromEntries(environment), ...variables, PORT: '0', NO_COLOR: '1' }
  const child = spawn(command[0], command.slice(1), { env, stdio: ['ignore', 'pipe', 'inherit'] })
  children.push(child)
  await once(child, 'spawn')
  const log = []
  const lines = createInterface({ input: child.stdout })
  return new Promise((resolve, reject) => {
    lines.on('line', (line) => {
      log.push(line)
      if (line.startsWith(until)) resolve(line.slice(until.length).trim())
    })
    lines.on('close', () => reject(new Error(`${command[0]} ended early:\n${log.join('\n')}`)))
  })
}

function newProvider(issuer, apis) {
  const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 })
  const key = { ...privateKey.export({ format: 'jwk' }), use: 'sig', alg: 'RS256' }
  const machine = { client_secret: 'any', grant_types: ['client_credentials'], redirect_uris: [], response_types: [] }
  const web = (uri, number) => ({
    client_id: `web${number}`,
    client_secret: 'any',
    redirect_uris: ['http://127.0.0.1/callback'],
    backchannel_logout_uri: uri,
    backchannel_logout_session_required: true,
  })
  return new Provider(issuer, {
    jwks: { keys: [key] },
    ttl: { ClientCredentials: 600 },
    // By default it reaches no loopback address.
    fetch: (url, { dispatcher, ...options }) => fetch(url, options),
    clients: [
      { client_id: 'ann', token_endpoint_auth_method: 'client_secret_post', ...machine },
      { client_id: 'bob', token_endpoint_auth_method: 'client_secret_post', ...machine },
      ...apis.map((api, number) => web(`${api}/backchannel-logout`, number)),
    ],
    features: {
      backchannelLogout: { enabled: true },
      clientCredentials: { enabled: true },
      devInteractions: { enabled: false },
      resourceIndicators: {
        enabled: true,
        defaultResource: () => undefined,
        getResourceServerInfo: (_, audience) => {
          return { scope: 'read:messages', audience, accessTokenFormat: 'jwt', jwt: { sign: { alg: 'RS256' } } }
        },
      },
    },
  })
}

async function token(issuer, client_id) {
  const body = new URLSearchParams({ grant_type: 'client_credentials', client_id, client_secret: 'any', resource: AUDIENCE })
  const response = await fetch(`${issuer}/token`, { method: 'POST', body })
  assert.equal(response.status, 200, await response.clone().text())
  return (await response.json()).access_token
}

async function call(api, token) {
  const response = await fetch(`${api}/api/private`, { headers: { authorization: `Bearer ${token}` } })
  const body = await response.text()
  return response.status === 200 ? 200 : `${response.status} ${JSON.parse(body).error_code}`
}

// The moment at which a stream has ended.
async function stream(api, token) {
  const response = await fetch(`${api}/api/stream`, { headers: { authorization: `Bearer ${token}` } })
  assert.equal(response.status, 200)
  const reader = response.body.getReader()
  await reader.read()
  const read = async () => {
    while (!(await reader.read()).done);
    return Date.now()
  }
  return { ended: read() }
}

// The issuer contains its port, and the provider the addresses of the APIs.
const listener = createServer()
listener.listen(0, '127.0.0.1')
await once(listener, 'listening')
const issuer = `http://127.0.0.1:${listener.address().port}`
const trust = { AUTH0_ISSUER: issuer, AUTH0_AUDIENCE: AUDIENCE, AUTH0_LOGOUT_CLIENT_IDS: 'web0,web1' }
const apis = []
for (const program of programs) apis.push(await start([program], 'listening on ', trust))
const provider = newProvider(issuer, apis)
listener.on('request', provider.callback())

for (const [number, api] of apis.entries()) {
  const [ann, bob] = [await token(issuer, 'ann'), await token(issuer, 'bob')]
  assert.equal(await call(api, ann), 200)
  const [streamOfAnn, streamOfBob] = [await stream(api, ann), await stream(api, bob)]
  let bobHasEnded = false
  streamOfBob.ended.then(() => (bobHasEnded = true))

  const client = await provider.Client.find(`web${number}`)
  const loggedOutAt = Date.now()
  await client.backchannelLogout('ann', 'session-1')
  passed(`${programs[number]}: accepts the logout token of oidc-provider`)

  assert.equal(await call(api, ann), '401 token_revoked')
  assert.equal(await call(api, bob), 200)
  passed(`${programs[number]}: the next request is refused`)

  const took = (await streamOfAnn.ended) - loggedOutAt
  assert.ok(took < SECOND, `${took} ms`)
  assert.ok(!bobHasEnded)
  passed(`${programs[number]}: the open stream ends`)

  // Issued in a later second.
  await new Promise((resolve) => setTimeout(resolve, SECOND + 100))
  assert.equal(await call(api, await token(issuer, 'ann')), 200)
  passed(`${programs[number]}: a new token is accepted`)
}

// The Events API, read by independent clients.
const folder = mkdtempSync(join(tmpdir(), 'logout-'))
process.on('exit', () => rmSync(folder, { recursive: true, force: true }))
const tenant = join(folder, 'tenant.json')
writeFileSync(tenant, JSON.stringify({ users: [{ user_id: 'auth0|ann' }, { user_id: 'auth0|bob' }] }))
const serve = ['serve', '--port', '0', '--tenant', tenant, '--event-heartbeat', '1']
const local = await start([auth0Local, ...serve], 'AUTH0_ISSUER=', {})
const grant = { grant_type: 'client_credentials', client_id: 'any', client_secret: 'any' }
const asked = { ...grant, audience: `${local}api/v2/`, scope: 'read:events' }
const answer = await fetch(`${local}oauth/token`, { method: 'POST', body: new URLSearchParams(asked) })
const { access_token } = await answer.json()
const withToken = (url, init) => {
  return fetch(url, { ...init, headers: { ...init.headers, authorization: `Bearer ${access_token}` } })
}
const source = new EventSource(`${local}api/v2/events`, { fetch: withToken })
await once(source, 'open')
const object = { user_id: 'auth0|ann', blocked: true }
const ids = []
for (let round = 0; round < 2; round += 1) {
  const next = once(source, 'user.updated')
  const body = JSON.stringify({ emit: { type: 'user.updated', object } })
  const emitted = await fetch(`${local}__local/events`, { method: 'POST', body })
  assert.equal(emitted.status, 200, await emitted.clone().text())
  const [message] = await next
  const { offset, event } = JSON.parse(message.data)
  assert.equal(message.lastEventId, offset)
  assert.deepEqual([event.type, event.data.object], ['user.updated', object])
  ids.push(message.lastEventId)
  if (round === 0) {
    // It connects again by itself, and resumes with Last-Event-ID.
    const body = JSON.stringify({ disconnect: true })
    await fetch(`${local}__local/events`, { method: 'POST', body })
  }
}
source.close()
assert.notEqual(ids[0], ids[1])
passed('eventsource reads the Events API of auth0-local, and resumes')

async function administer(...command) {
  const child = spawn(auth0Local, [...command, '--issuer', local], { stdio: ['ignore', 'ignore', 'inherit'] })
  const [code] = await once(child, 'exit')
  assert.equal(code, 0, command.join(' '))
}

const { events } = new ManagementClient({
  domain: new URL(local).host,
  token: access_token,
  // The client builds https URLs only. auth0-local has no certificate.
  fetch: (url, init) => fetch(url.replace(/^https:/, 'http:'), init),
})
const subscribe = async (request) => (await events.subscribe(request))[Symbol.asyncIterator]()

// The next message that is no heartbeat, or undefined at the end of the stream.
async function next(messages) {
  for (;;) {
    const { value } = await messages.next()
    if (value?.type !== 'offset-only') return value
  }
}

let messages = await subscribe()
await administer('block', 'auth0|ann')
const blocked = await next(messages)
assert.deepEqual([blocked.type, blocked.event.type], ['user.updated', 'user.updated'])
assert.deepEqual([blocked.event.data.object.user_id, blocked.event.data.object.blocked], ['auth0|ann', true])
passed('auth0 reads that a user is blocked')

const { value: heartbeat } = await messages.next()
assert.deepEqual(heartbeat, { type: 'offset-only', offset: blocked.offset })
passed('auth0 reads a heartbeat')

await administer('events', '--disconnect')
assert.equal(await next(messages), undefined)
await administer('delete-user', 'auth0|bob')
messages = await subscribe({ from: heartbeat.offset })
const deleted = await next(messages)
assert.deepEqual([deleted.type, deleted.event.data.object.user_id], ['user.deleted', 'auth0|bob'])
assert.notEqual(deleted.offset, blocked.offset)
passed('auth0 resumes, and reads that a user was deleted meanwhile')

// From the first event of this tenant, without those of other types.
messages = await subscribe({ from: ids[0], event_type: ['user.created', 'user.deleted'] })
assert.deepEqual(await next(messages), deleted)
passed('auth0 reads events of the types that it asks for')

await administer('events', '--expire-offsets')
messages = await subscribe({ from: deleted.offset })
const { type, error } = await next(messages)
assert.deepEqual([type, error.code], ['error', 'cursor_expired'])
assert.equal(await next(messages), undefined)
passed('auth0 reads that an offset has expired')

const badRequest = (error) => error instanceof Management.BadRequestError
await assert.rejects(subscribe({ from: 'any', from_timestamp: '2026-01-01T00:00:00Z' }), badRequest)
passed('auth0 reads why a request is refused')

console.log(`logout.mjs: ${checks} passed`)
process.exit(0)
