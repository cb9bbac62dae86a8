// Connections end with their token, as independent clients see it: ws, graphql-ws, fetch, and EventSource of Chromium.
//
//     node streams.mjs ISSUER STREAMS... GRAPHQL
//
// ISSUER is a tenant of auth0-local. STREAMS are the examples axum-streams and actix-streams, and GRAPHQL is axum-graphql;
// they trust it. `.ci/clients` starts them all. It takes about ten seconds, which a token of two seconds and the leeway
// of five need.
import assert from 'node:assert/strict'
import { existsSync } from 'node:fs'
import { createClient } from 'graphql-ws'
import puppeteer from 'puppeteer-core'
import WebSocket from 'ws'

const [issuer, ...apis] = process.argv.slice(2)
const graphql = apis.pop()
assert.ok(apis.length > 0, 'usage: node streams.mjs ISSUER STREAMS... GRAPHQL')

const LIFE = 2
const LEEWAY = 5
// How long data may be under way, in milliseconds.
const SLACK = 500
const CHROMIUM = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome']

let checks = 0
function passed(what) {
  checks += 1
  console.log(`ok ${what}`)
}

async function token(description = {}) {
  const body = JSON.stringify({ subject: 'auth0|ann', expires_in: LIFE, ...description })
  const response = await fetch(`${issuer}__local/token`, { method: 'POST', headers: { accept: 'text/plain' }, body })
  assert.equal(response.status, 200, await response.clone().text())
  return (await response.text()).trim()
}

// The moment at which a connection with this token ends, in milliseconds.
function end(token) {
  const { exp } = JSON.parse(Buffer.from(token.split('.')[1], 'base64url'))
  return (exp + LEEWAY) * 1000
}

// Notes when each message arrives, and how the connection closes.
function record(socket) {
  const seen = { texts: [], last: 0, closed: undefined }
  socket.on('message', (data) => {
    seen.texts.push(String(data))
    seen.last = Date.now()
  })
  seen.closed = new Promise((resolve) => {
    socket.on('close', (code, reason) => resolve({ code, reason: String(reason), at: Date.now() }))
    socket.on('error', () => {})
  })
  return seen
}

function inTime(what, moment, last) {
  assert.ok(last > 0 && last <= moment + SLACK, `${what}: data ${last - moment} ms after the end`)
}

const address = (api, path) => api.replace('http', 'ws') + path

async function websocket(api) {
  const first = await token()
  const socket = new WebSocket(address(api, '/ws'), { headers: { authorization: `Bearer ${first}` } })
  const seen = record(socket)
  const { code, at } = await seen.closed
  assert.equal(code, 4401)
  inTime('ws', end(first), seen.last)
  assert.ok(at <= end(first) + 2 * SLACK && at >= end(first) - SLACK, `closed ${at - end(first)} ms after the end`)
  assert.ok(seen.texts.filter((text) => text.includes('count')).length >= LIFE + LEEWAY - 2)
  passed(`${api}/ws ends with its token: ${seen.texts.length} messages, then ${code}`)
}

async function renewal(api) {
  const [first, bob, later] = [await token(), await token({ subject: 'auth0|bob', expires_in: 60 }), await token({ expires_in: LIFE + 2 })]
  const socket = new WebSocket(address(api, '/ws'), ['bearer', first])
  const seen = record(socket)
  await new Promise((resolve) => socket.on('open', resolve))
  assert.equal(socket.protocol, 'bearer')
  for (const renew of [bob, 'no.token', later]) socket.send(JSON.stringify({ renew }))
  socket.send('hello')
  const { code } = await seen.closed
  assert.equal(code, 4401)
  inTime('renewed ws', end(later), seen.last)
  assert.ok(seen.last > end(first) + SLACK, 'the newer token has extended the connection')
  const answers = seen.texts.filter((text) => !text.includes('count') && !text.includes('warning')).map((text) => JSON.parse(text))
  assert.deepEqual(answers.map((answer) => answer.error_code ?? answer.renewed ?? 'other'), ['renewal_refused', 'token_malformed', true, 'other'])
  assert.ok(!seen.texts.some((text) => text.includes('eyJ')), 'no answer holds a token')
  passed(`${api}/ws takes a newer token, and no other`)
}

async function events(api) {
  const first = await token()
  const response = await fetch(`${api}/sse`, { headers: { authorization: `Bearer ${first}` } })
  assert.equal(response.status, 200)
  let [last, text] = [0, '']
  for await (const chunk of response.body) {
    last = Date.now()
    text += Buffer.from(chunk)
  }
  inTime('sse', end(first), last)
  assert.ok(text.split('data:').length > LIFE + LEEWAY - 2, text)
  assert.equal((await fetch(`${api}/sse`)).status, 401)
  passed(`${api}/sse ends with its token`)
}

async function eventSource(browser, api) {
  const page = await browser.newPage()
  // A page of the same origin. EventSource itself cannot set a header.
  await page.goto(api)
  const first = await token()
  await page.setExtraHTTPHeaders({ authorization: `Bearer ${first}` })
  const seen = await page.evaluate(async () => {
    const source = new EventSource('/sse')
    const seen = { count: 0, last: 0 }
    source.onmessage = () => {
      seen.count += 1
      seen.last = Date.now()
    }
    // It tries again after the end. With the same token it gets 401, and gives up.
    while (source.readyState !== EventSource.CLOSED) await new Promise((resolve) => setTimeout(resolve, 100))
    return seen
  })
  await page.close()
  inTime('EventSource', end(first), seen.last)
  assert.ok(seen.count >= LIFE + LEEWAY - 2, `${seen.count} events`)
  passed(`${api}/sse: EventSource of Chromium gets ${seen.count} events, and then 401`)
}

async function subscription() {
  const first = await token()
  const closed = []
  let last = 0
  const client = createClient({
    url: address(graphql, '/graphql/ws'),
    webSocketImpl: WebSocket,
    retryAttempts: 0,
    connectionParams: { authorization: `Bearer ${first}` },
    on: { closed: ({ code }) => closed.push(code) },
  })
  let count = 0
  await new Promise((resolve) => {
    const next = ({ data }) => {
      assert.equal(data.ticks, count++)
      last = Date.now()
    }
    client.subscribe({ query: 'subscription { ticks }' }, { next, error: resolve, complete: resolve })
  })
  inTime('graphql-ws', end(first), last)
  assert.deepEqual(closed, [4401])
  assert.ok(count >= LIFE + LEEWAY - 2)
  passed(`graphql-ws gets ${count} values, and then 4401`)
}

// A client that closes gets its own code back.
async function closing(url, ...options) {
  const socket = new WebSocket(url, ...options)
  const seen = record(socket)
  socket.on('open', () => socket.close(1000))
  assert.equal((await seen.closed).code, 1000, url)
  passed(`${url} answers a Close frame`)
}

async function closings() {
  const headers = { authorization: `Bearer ${await token({ expires_in: 600 })}` }
  for (const api of apis) await closing(address(api, '/ws'), { headers })
  await closing(address(graphql, '/graphql/ws'), 'graphql-transport-ws')
}

async function closeCodes() {
  const plain = await token({ expires_in: 600 })
  const init = (payload) => JSON.stringify({ type: 'connection_init', payload })
  for (const [code, ...messages] of [
    [4401, JSON.stringify({ type: 'subscribe', id: '1', payload: { query: 'subscription { ticks }' } })],
    [4401, init()],
    [4401, init({ authorization: 'Bearer no.token' })],
    [4401, init({ authorization: `Bearer ${await token({ expired: true, expires_in: undefined })}` })],
    [4429, init({ authorization: `Bearer ${plain}` }), init({ authorization: `Bearer ${plain}` })],
    [4400, init({ authorization: `Bearer ${plain}` }), '{"type":"eyJhbGciOiJSUzI1NiJ9"}'],
    [4408],
  ]) {
    const socket = new WebSocket(address(graphql, '/graphql/ws'), 'graphql-transport-ws')
    const seen = record(socket)
    socket.on('open', () => messages.forEach((message) => socket.send(message)))
    const { code: closed, reason } = await seen.closed
    assert.equal(closed, code, messages.join(' '))
    assert.ok(!reason.includes('eyJ'), reason)
  }
  passed('GraphQL closes with the codes of its protocol')
}

async function queries() {
  const ask = async (query, headers) => {
    const options = { method: 'POST', headers: { 'content-type': 'application/json', ...headers }, body: JSON.stringify({ query }) }
    const response = await fetch(`${graphql}/graphql`, options)
    return { status: response.status, body: await response.json() }
  }
  const bearer = async (scope) => ({ authorization: `Bearer ${await token({ expires_in: 600, scope })}` })
  assert.equal((await ask('{ me }', {})).status, 401)
  assert.equal((await ask('{ me }', await bearer(''))).body.data.me, 'auth0|ann')
  assert.equal((await ask('{ secret }', await bearer(''))).body.errors[0].extensions.error_code, 'insufficient_scope')
  assert.equal((await ask('{ secret }', await bearer('read:messages'))).body.errors, undefined)
  passed('GraphQL needs a token for a query, and a scope for a field')
}

const work = [subscription(), closings(), closeCodes(), queries(), ...apis.flatMap((api) => [websocket(api), renewal(api), events(api)])]
const chromium = CHROMIUM.find(existsSync)
if (chromium === undefined) {
  console.log('skipped: EventSource. Chromium is missing: install the package chromium')
} else {
  const browser = await puppeteer.launch({ executablePath: chromium, args: ['--no-sandbox'] })
  const pages = Promise.all(apis.map((api) => eventSource(browser, api)))
  work.push(pages.finally(() => browser.close()))
}
await Promise.all(work)
console.log(`${checks} checks of streams passed`)
