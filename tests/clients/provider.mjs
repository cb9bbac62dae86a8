// An independent provider: oidc-provider. The quickstarts accept its tokens by configuration alone.
//
//     node provider.mjs PROGRAM...
//
// Each PROGRAM is a quickstart, which this script starts and ends. `.ci/clients` names both.
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { generateKeyPairSync } from 'node:crypto'
import { once } from 'node:events'
import { createServer } from 'node:http'
import { createInterface } from 'node:readline'
import * as oauth from 'oauth4webapi'
import Provider from 'oidc-provider'

const programs = process.argv.slice(2)
assert.ok(programs.length > 0, 'usage: node provider.mjs PROGRAM...')

const AUDIENCE = 'https://messages.test'
const OTHER_AUDIENCE = 'https://invoices.test'
const SCOPE = 'read:messages'
// All of it takes a few seconds.
const DEADLINE = 120_000

// Plain http, on loopback only.
const insecure = { [oauth.allowInsecureRequests]: true }
const client = { client_id: 'independent' }
const clientAuth = oauth.ClientSecretPost('any')

let checks = 0
function passed(what) {
  checks += 1
  console.log(`ok ${what}`)
}

// The quickstarts end with this script. By SIGKILL: actix-web waits for open connections.
const children = []
process.on('exit', () => children.forEach((child) => child.kill('SIGKILL')))
for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => process.exit(1))
setTimeout(() => {
  console.error(`provider.mjs is not done after ${DEADLINE / 1000} s`)
  process.exit(1)
}, DEADLINE).unref()

// A provider with a new signing key, and otherwise like the previous one.
function newProvider(issuer) {
  const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 })
  const key = { ...privateKey.export({ format: 'jwk' }), use: 'sig', alg: 'RS256' }
  return new Provider(issuer, {
    jwks: { keys: [key] },
    ttl: { ClientCredentials: 600 },
    clients: [
      {
        ...client,
        client_secret: 'any',
        token_endpoint_auth_method: 'client_secret_post',
        grant_types: ['client_credentials'],
        redirect_uris: [],
        response_types: [],
      },
    ],
    features: {
      clientCredentials: { enabled: true },
      devInteractions: { enabled: false },
      dPoP: { enabled: true },
      resourceIndicators: {
        enabled: true,
        // Without a resource, the token is opaque.
        defaultResource: () => undefined,
        getResourceServerInfo: (_, audience) => {
          const jwt = { sign: { alg: 'RS256' } }
          return { scope: SCOPE, audience, accessTokenFormat: 'jwt', jwt }
        },
      },
    },
  })
}

// The address of the API, and its log, which is printed after a failure.
async function startApi(program, issuer) {
  const environment = Object.entries(process.env).filter(([name]) => !name.startsWith('AUTH0_'))
  const trust = { AUTH0_ISSUER: issuer, AUTH0_AUDIENCE: AUDIENCE, PORT: '0', NO_COLOR: '1' }
  const env = { ...Object.fromEntries(environment), ...trust }
  const child = spawn(program, { env, stdio: ['ignore', 'pipe', 'inherit'] })
  children.push(child)
  await once(child, 'spawn')
  const log = []
  const lines = createInterface({ input: child.stdout })
  const url = await new Promise((resolve, reject) => {
    const until = 'listening on '
    lines.on('line', (line) => {
      log.push(line)
      if (line.startsWith(until)) resolve(line.slice(until.length))
    })
    lines.on('close', () => reject(new Error(`${program} ended early:\n${log.join('\n')}`)))
  })
  return { url, log }
}

async function askForToken(server, parameters, DPoP) {
  const options = { DPoP, ...insecure }
  const grant = oauth.clientCredentialsGrantRequest
  const response = await grant(server, client, clientAuth, parameters, options)
  const answer = await oauth.processClientCredentialsResponse(server, client, response)
  assert.equal(answer.token_type, DPoP ? 'dpop' : 'bearer')
  return answer.access_token
}

async function call(api, path, token, DPoP) {
  const options = { DPoP, ...insecure }
  const url = new URL(`${api.url}${path}`)
  const call = oauth.protectedResourceRequest(token, 'GET', url, undefined, null, options)
  // The library throws a refusal that has a challenge.
  return call.catch((error) => error.response ?? Promise.reject(error))
}

async function assertAccepted(api, path, token, DPoP) {
  const response = await call(api, path, token, DPoP)
  const body = await response.text()
  assert.equal(response.status, 200, body)
  assert.ok(body.endsWith(`${client.client_id}\n`), body)
}

async function assertRefused(api, path, token, status, code) {
  const response = await call(api, path, token)
  const body = await response.text()
  assert.equal(response.status, status, body)
  assert.equal(JSON.parse(body).error_code, code)
}

function decoded(token, part) {
  return JSON.parse(Buffer.from(token.split('.')[part], 'base64url'))
}

// The issuer contains its port, so the port is needed first.
const listener = createServer()
listener.listen(0, '127.0.0.1')
await once(listener, 'listening')
const issuer = `http://127.0.0.1:${listener.address().port}`

let answer = newProvider(issuer).callback()
listener.on('request', (request, response) => answer(request, response))

const apis = await Promise.all(programs.map((program) => startApi(program, issuer)))

async function check() {
  const discovery = await oauth.discoveryRequest(new URL(issuer), insecure)
  const server = await oauth.processDiscoveryResponse(new URL(issuer), discovery)
  assert.equal(server.issuer, issuer)

  const plain = await askForToken(server, { resource: AUDIENCE })
  const reader = await askForToken(server, { resource: AUDIENCE, scope: SCOPE })
  const elsewhere = await askForToken(server, { resource: OTHER_AUDIENCE, scope: SCOPE })
  const opaque = await askForToken(server, {})
  assert.equal(decoded(reader, 0).typ, 'at+jwt')
  assert.equal(decoded(reader, 1).iss, issuer)
  assert.equal(decoded(reader, 1).scope, SCOPE)
  assert.equal(decoded(elsewhere, 1).aud, OTHER_AUDIENCE)
  assert.ok(!opaque.includes('.'))
  passed('tokens by discovery: of an audience, with a scope, of another audience, opaque')

  const DPoP = oauth.DPoP(client, await oauth.generateKeyPair('ES256'))
  const bound = await askForToken(server, { resource: AUDIENCE, scope: SCOPE }, DPoP)
  assert.deepEqual(decoded(bound, 1).cnf, { jkt: await DPoP.calculateThumbprint() })
  passed('a bound token')

  for (const api of apis) {
    await assertAccepted(api, '/api/private', plain)
    await assertAccepted(api, '/api/private', reader)
    await assertAccepted(api, '/api/private-scoped', reader)
    passed(`200 ${api.url}`)

    await assertRefused(api, '/api/private-scoped', plain, 403, 'insufficient_scope')
    passed('403 without the scope')

    await assertRefused(api, '/api/private', elsewhere, 401, 'audience_mismatch')
    passed('401 a token for another resource')

    await assertRefused(api, '/api/private', opaque, 401, 'token_malformed')
    passed('401 an opaque token')

    await assertAccepted(api, '/api/private-scoped', bound, DPoP)
    passed('200 a bound token with its proof')

    await assertRefused(api, '/api/private', bound, 401, 'token_binding_mismatch')
    passed('401 a bound token as Bearer')
  }

  // A new key at once, and the previous one is no longer published.
  answer = newProvider(issuer).callback()
  const rotated = await askForToken(server, { resource: AUDIENCE, scope: SCOPE })
  assert.notEqual(decoded(rotated, 0).kid, decoded(reader, 0).kid)
  for (const api of apis) {
    const start = performance.now()
    await assertAccepted(api, '/api/private-scoped', rotated)
    const took = performance.now() - start
    assert.ok(took < 2000, `${took} ms`)
    passed(`200 a token of a new key, the first time, after ${Math.ceil(took)} ms`)

    await assertRefused(api, '/api/private', reader, 401, 'key_unknown')
    passed('401 a token of a key that is no longer published')
  }
}

try {
  await check()
} catch (error) {
  for (const { url, log } of apis) console.error(`-- log of ${url}\n${log.join('\n')}`)
  throw error
} finally {
  // A process that has ended cannot be killed.
  await Promise.all(children.map((child) => child.kill('SIGKILL') && once(child, 'exit')))
  listener.close()
  listener.closeAllConnections()
}
console.log(`provider.mjs: ${checks} passed`)
