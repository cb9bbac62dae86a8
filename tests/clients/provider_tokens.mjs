// `auth0-client` gets tokens of an independent provider: oidc-provider.
//
//     node provider_tokens.mjs TOKEN_CLIENT
//
// TOKEN_CLIENT is a program, which this script starts for each request. `.ci/clients` names it.
import assert from 'node:assert/strict'
import { createHash, generateKeyPairSync, randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { createServer } from 'node:http'
import Provider from 'oidc-provider'
import { Browser } from './tokens/browser.mjs'
import { claims, limit, send } from './tokens/program.mjs'

const [program] = process.argv.slice(2)
assert.ok(program, 'usage: node provider_tokens.mjs TOKEN_CLIENT')
limit('provider_tokens.mjs', 120_000)

const API = 'https://messages.test'
const SCOPE = 'read:messages'
const CALLBACK = 'http://127.0.0.1:1/callback'
// Characters that Basic authentication encodes (RFC 6749 §2.3.1).
const ODD_SECRET = 'a b+/%:=&'
const ALGORITHMS = ['RS256', 'RS384', 'PS256']
const DEVICE_CODE = 'urn:ietf:params:oauth:grant-type:device_code'

let checks = 0
function passed(what) {
  checks += 1
  console.log(`ok ${what}`)
}

const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 })
const pem = rsa.privateKey.export({ type: 'pkcs8', format: 'pem' })
const jwks = { keys: [{ ...rsa.publicKey.export({ format: 'jwk' }), kid: 'k1' }] }
const proofPair = generateKeyPairSync('ec', { namedCurve: 'P-256' })
const dpop = proofPair.privateKey.export({ type: 'pkcs8', format: 'pem' })
const { crv, kty, x, y } = proofPair.publicKey.export({ format: 'jwk' })
const jkt = createHash('sha256').update(JSON.stringify({ crv, kty, x, y })).digest('base64url')

const withoutRedirects = { redirect_uris: [], response_types: [] }
const machine = { ...withoutRedirects, grant_types: ['client_credentials'] }
const login = {
  redirect_uris: [CALLBACK],
  response_types: ['code'],
  grant_types: ['authorization_code', 'refresh_token'],
}
const signing = { token_endpoint_auth_method: 'private_key_jwt', jwks }

function newProvider(issuer) {
  const key = generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey.export({ format: 'jwk' })
  return new Provider(issuer, {
    jwks: { keys: [{ ...key, use: 'sig', alg: 'RS256' }] },
    cookies: { keys: [randomBytes(16).toString('hex')] },
    ttl: {
      ClientCredentials: 600,
      AccessToken: 700,
      RefreshToken: 3600,
      Session: 3600,
      Grant: 3600,
      Interaction: 600,
      IdToken: 600,
      DeviceCode: 600,
    },
    scopes: ['openid', 'offline_access'],
    rotateRefreshToken: true,
    enabledJWA: {
      clientAuthSigningAlgValues: ALGORITHMS,
      requestObjectSigningAlgValues: ALGORITHMS,
      dPoPSigningAlgValues: ['ES256'],
    },
    clients: [
      { client_id: 'post', client_secret: 'secret', token_endpoint_auth_method: 'client_secret_post', ...machine },
      {
        client_id: 'id+basic:1',
        client_secret: ODD_SECRET,
        token_endpoint_auth_method: 'client_secret_basic',
        ...machine,
      },
      ...ALGORITHMS.map((algorithm) => ({
        client_id: `key-${algorithm}`,
        ...signing,
        token_endpoint_auth_signing_alg: algorithm,
        request_object_signing_alg: algorithm,
        ...login,
        grant_types: [...login.grant_types, 'client_credentials'],
      })),
      { client_id: 'web', client_secret: 'secret', token_endpoint_auth_method: 'client_secret_post', ...login },
      {
        client_id: 'web-basic',
        client_secret: ODD_SECRET,
        token_endpoint_auth_method: 'client_secret_basic',
        ...login,
      },
      {
        client_id: 'tv',
        application_type: 'native',
        token_endpoint_auth_method: 'none',
        ...withoutRedirects,
        grant_types: [DEVICE_CODE, 'refresh_token'],
      },
      {
        client_id: 'kiosk',
        ...signing,
        token_endpoint_auth_signing_alg: 'PS256',
        ...withoutRedirects,
        grant_types: [DEVICE_CODE, 'refresh_token'],
      },
    ],
    features: {
      clientCredentials: { enabled: true },
      deviceFlow: { enabled: true },
      dPoP: { enabled: true, nonceSecret: randomBytes(32), requireNonce: () => true },
      pushedAuthorizationRequests: { enabled: true },
      requestObjects: { enabled: true },
      revocation: { enabled: true },
      resourceIndicators: {
        enabled: true,
        defaultResource: () => undefined,
        useGrantedResource: () => true,
        getResourceServerInfo: (_, audience) => {
          const jwt = { sign: { alg: 'RS256' } }
          return { scope: SCOPE, audience, accessTokenFormat: 'jwt', jwt }
        },
      },
    },
  })
}

// The issuer contains its port, so the port is needed first.
const listener = createServer()
listener.listen(0, '127.0.0.1')
await once(listener, 'listening')
const issuer = `http://127.0.0.1:${listener.address().port}`
const answer = newProvider(issuer).callback()
const paths = []
listener.on('request', (request, response) => {
  paths.push(`${request.method} ${request.url.split('?')[0]}`)
  answer(request, response)
})

const post = (client_id, secret_post = 'secret') => ({ client_id, authentication: { secret_post } })
const basic = (client_id) => ({ client_id, authentication: { secret_basic: ODD_SECRET } })
const key = (algorithm, client_id = `key-${algorithm}`) => ({
  client_id,
  authentication: { key: { pem, algorithm, id: 'k1' } },
})
const tv = { client_id: 'tv', authentication: 'none' }
const bound = (client) => ({ ...client, dpop })

async function ask(client, request, { api, onStarted } = {}) {
  const description = { client: { issuer, ...client }, request, api }
  const before = paths.length
  const { result, started } = await send(program, description, onStarted)
  return { ...result, started, paths: paths.slice(before) }
}

async function tokens(...of) {
  const result = await ask(...of)
  assert.ok(result.tokens, JSON.stringify(result))
  return { ...result.tokens, api: result.api, paths: result.paths }
}

async function refused(client, request, kind, status, code, options) {
  const { error, ...other } = await ask(client, request, options)
  assert.ok(error, JSON.stringify(other))
  assert.deepEqual([error.kind, error.status, error.code], [kind, status, code], error.text)
}

const ofMachine = (more) => ({ machine: { audience: API, resource: API, scope: SCOPE, ...more } })

async function checkMachines() {
  const clients = [post('post'), basic('id+basic:1'), ...ALGORITHMS.map((algorithm) => key(algorithm))]
  for (const client of clients) {
    const method = Object.keys(client.authentication)[0]
    const got = await tokens(client, ofMachine())
    const { iss, aud, sub, client_id, scope, cnf } = claims(got.access_token)
    assert.deepEqual(
      { iss, aud, client_id, scope },
      { iss: issuer, aud: API, client_id: client.client_id, scope: SCOPE },
    )
    assert.equal(sub, client.client_id)
    assert.equal(cnf, undefined)
    assert.equal(got.token_type, 'Bearer')
    assert.equal(got.scope, SCOPE)
    assert.ok(Math.abs(got.expires_in - 600) <= 5, got.expires_in)
    passed(`client credentials: ${method} ${client.authentication.key?.algorithm ?? ''}`)

    const own = await tokens(bound(client), ofMachine())
    assert.equal(own.token_type, 'DPoP')
    assert.deepEqual(claims(own.access_token).cnf, { jkt })
    assert.equal(own.paths.filter((path) => path === 'POST /token').length, 2, 'one with the nonce')
    passed(`client credentials with DPoP and a nonce: ${method} ${client.authentication.key?.algorithm ?? ''}`)
  }

  await refused(post('post', 'wrong'), ofMachine(), 'InvalidClient', 401, 'invalid_client')
  await refused(post('unknown'), ofMachine(), 'InvalidClient', 401, 'invalid_client')
  await refused(key('PS256', 'key-RS256'), ofMachine(), 'InvalidClient', 401, 'invalid_client')
  await refused(post('web'), ofMachine(), 'Misconfigured', 400, 'invalid_request')
  await refused(post('post'), ofMachine({ resource: 'no URI' }), 'Misconfigured', 400, 'invalid_target')
  passed('client credentials that are refused')
}

// Starts the device flow. The user answers in a browser.
function device(client, decide, options) {
  const onStarted = async (started) => {
    const browser = new Browser()
    await browser.open(started.verification_uri_complete)
    // The page with the code sends itself.
    await browser.submit()
    await decide(browser, started)
  }
  return [client, { device: { scope: 'openid offline_access' } }, { onStarted, ...options }]
}

async function approve(browser) {
  await browser.submit({ confirm: 'yes' })
  await browser.logIn()
  assert.match(browser.page, /Sign-in Success/i)
}

async function checkDevices() {
  const api = `${issuer}/me`
  await Promise.all(
    [tv, key('PS256', 'kiosk')].flatMap((client) => [checkDevice(client, api), checkDevice(bound(client), api)]),
  )
  const [client, request, options] = device(tv, (browser) => browser.submit({ abort: 'yes' }))
  await refused(client, request, 'Denied', 400, 'access_denied', options)
  passed('device flow: the user refuses')
  await refused(post('post'), { device: { scope: 'openid' } }, 'Misconfigured', 400, 'invalid_request')
  passed('device flow: a client without the grant')
}

async function checkDevice(client, api) {
  const name = `${client.client_id}${client.dpop ? ' with DPoP and nonces' : ''}`
  const token_type = client.dpop ? 'DPoP' : 'Bearer'
  const got = await tokens(...device(client, approve, { api }))
  assert.equal(got.token_type, token_type)
  assert.equal(got.scope, 'offline_access openid')
  assert.equal(claims(got.id_token).sub, 'ann')
  assert.equal(claims(got.id_token).aud, client.client_id)
  // The provider requires a nonce there, too. That of the token endpoint is one of the same origin.
  assert.deepEqual(got.api, { status: 200, body: '{"sub":"ann"}', calls: 1 })
  passed(`device flow: ${name}`)

  const next = await tokens(client, { refresh: { token: got.refresh_token } }, { api })
  assert.notEqual(next.refresh_token, got.refresh_token)
  assert.notEqual(next.access_token, got.access_token)
  assert.equal(next.token_type, token_type)
  assert.equal(next.api.status, 200)
  const fewer = await tokens(client, { refresh: { token: next.refresh_token, scope: 'openid' } })
  assert.equal(fewer.scope, 'openid')
  passed(`refresh: ${name}`)

  const more = { token: fewer.refresh_token, scope: 'openid read:messages' }
  await refused(client, { refresh: more }, 'Misconfigured', 400, 'invalid_scope')
  // Those of confidential clients are not bound to the key (RFC 9449 §5).
  if (client.dpop && client.authentication === 'none') {
    const other = generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey
    const stolen = { ...client, dpop: other.export({ type: 'pkcs8', format: 'pem' }) }
    await refused(stolen, { refresh: { token: fewer.refresh_token } }, 'InvalidGrant', 400, 'invalid_grant')
  }
  const { done } = await ask(client, { revoke: { token: fewer.refresh_token } })
  assert.deepEqual(done, {})
  await refused(client, { refresh: { token: fewer.refresh_token } }, 'InvalidGrant', 400, 'invalid_grant')
  passed(`a revoked refresh token: ${name}`)
}

async function checkPushes() {
  const clients = [post('web'), basic('web-basic'), ...ALGORITHMS.map((algorithm) => key(algorithm))]
  for (const client of clients) {
    for (const is_signed of [false, true]) {
      if (is_signed && client.authentication.key === undefined) continue
      for (const own of [client, bound(client)]) await checkPush(own, is_signed)
    }
  }
  const parameters = { redirect_uri: `${CALLBACK}/other`, scope: 'openid' }
  await refused(post('web'), { par: parameters }, 'Misconfigured', 400, 'invalid_request')
  await refused(post('web', 'wrong'), { par: { redirect_uri: CALLBACK } }, 'InvalidClient', 401, 'invalid_client')
  passed('PAR that is refused')
}

async function checkPush(client, is_signed) {
  const method = client.authentication.key?.algorithm ?? Object.keys(client.authentication)[0]
  const name = `${method}${is_signed ? ', signed' : ''}${client.dpop ? ', with DPoP' : ''}`
  const code_verifier = randomBytes(32).toString('base64url')
  const code_challenge = createHash('sha256').update(code_verifier).digest('base64url')
  const more = {
    state: 'a b&c',
    nonce: 'n',
    prompt: 'consent',
    resource: API,
    code_challenge,
    code_challenge_method: 'S256',
  }
  const scope = `openid offline_access ${SCOPE}`
  const { done, error } = await ask(client, { par: { redirect_uri: CALLBACK, scope, is_signed, more } })
  assert.ok(done, `${name}: ${error?.text}`)
  assert.ok(done.expires_in > 55 && done.expires_in <= 60, done.expires_in)
  const browser = new Browser(CALLBACK)
  await browser.open(done.url)
  const redirect = Object.fromEntries((await browser.logIn()).searchParams)
  assert.equal(redirect.state, 'a b&c')
  assert.equal(redirect.iss, issuer)

  const grant = {
    grant_type: 'authorization_code',
    more: { code: redirect.code, redirect_uri: CALLBACK, code_verifier },
  }
  const got = await tokens(client, { grant })
  const of = claims(got.access_token)
  assert.deepEqual([of.sub, of.aud, of.client_id, of.cnf], ['ann', API, client.client_id, client.dpop && { jkt }])
  assert.equal(claims(got.id_token).nonce, 'n')
  assert.equal(got.token_type, client.dpop ? 'DPoP' : 'Bearer')
  const next = await tokens(client, { refresh: { token: got.refresh_token } })
  assert.equal(claims(next.access_token).sub, 'ann')
  await refused(client, { grant }, 'InvalidGrant', 400, 'invalid_grant')
  passed(`PAR: ${name}`)
}

try {
  await checkMachines()
  await checkPushes()
  await checkDevices()
} finally {
  listener.close()
  listener.closeAllConnections()
}
console.log(`provider_tokens.mjs: ${checks} passed`)
