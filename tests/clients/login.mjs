// A login as an independent client does it: openid-client with PKCE, refresh, userinfo and logout.
//
//     node login.mjs ISSUER AUDIENCE API...
//
// ISSUER is a tenant of auth0-local with --open-clients and --dynamic-registration. Each API is a quickstart
// that trusts it. `.ci/clients` starts them all.
import assert from 'node:assert/strict'
import * as oauth from 'oauth4webapi'
import * as openid from 'openid-client'

const [issuer, audience, ...apis] = process.argv.slice(2)
assert.ok(apis.length > 0, 'usage: node login.mjs ISSUER AUDIENCE API...')

const execute = [openid.allowInsecureRequests]
const redirect_uri = 'http://127.0.0.1:41234/callback'
const scope = 'openid profile email offline_access read:messages'

let checks = 0
function passed(what) {
  checks += 1
  console.log(`ok ${what}`)
}

// The browser: keeps the cookie, and follows no redirect.
let cookie
async function visit(url) {
  const headers = cookie === undefined ? {} : { cookie }
  const response = await fetch(url, { redirect: 'manual', headers })
  const set = response.headers.get('set-cookie')
  cookie = set === null ? cookie : set.split(';')[0]
  assert.equal(response.status, 302, await response.text())
  return new URL(response.headers.get('location'))
}

async function logIn(config, parameters, options) {
  const verifier = openid.randomPKCECodeVerifier()
  const [state, nonce] = [openid.randomState(), openid.randomNonce()]
  const url = openid.buildAuthorizationUrl(config, {
    redirect_uri,
    scope,
    state,
    nonce,
    code_challenge: await openid.calculatePKCECodeChallenge(verifier),
    code_challenge_method: 'S256',
    ...parameters,
  })
  const answer = await visit(url)
  assert.ok(answer.href.startsWith(redirect_uri))
  // Checks state, iss, nonce, the verifier's answer, and the ID token with its signature.
  const checks = { pkceCodeVerifier: verifier, expectedState: state, expectedNonce: nonce, idTokenExpected: true }
  const extra = parameters.resource === undefined ? undefined : { resource: parameters.resource }
  return openid.authorizationCodeGrant(config, answer, checks, extra, options)
}

async function callApis(config, tokens, options) {
  for (const api of apis) {
    const url = new URL(`${api}/api/private-scoped`)
    const access = openid.fetchProtectedResource
    const response = await access(config, tokens.access_token, url, 'GET', null, undefined, options)
    assert.equal(response.status, 200)
    assert.match(await response.text(), /^messages of auth0\|/)
  }
}

const client = async (id) => {
  const config = await openid.discovery(new URL(issuer), id, undefined, openid.None(), { execute })
  openid.enableNonRepudiationChecks(config)
  return config
}

const config = await client('independent')
assert.equal(config.serverMetadata().supportsPKCE(), true)
const tokens = await logIn(config, { audience })
const { sub, nonce, sid } = tokens.claims()
assert.ok(sub.startsWith('auth0|') && nonce && sid)
await callApis(config, tokens)
passed('a login with PKCE, state, nonce and iss')

const user = await openid.fetchUserInfo(config, tokens.access_token, sub)
assert.ok(user.email && user.name)
passed('userinfo')

const refreshed = await openid.refreshTokenGrant(config, tokens.refresh_token)
assert.notEqual(refreshed.refresh_token, tokens.refresh_token)
assert.equal(refreshed.claims().sub, sub)
await callApis(config, refreshed)
passed('a refresh')

await assert.rejects(openid.refreshTokenGrant(config, tokens.refresh_token), { error: 'invalid_grant' })
await assert.rejects(openid.refreshTokenGrant(config, refreshed.refresh_token), { error: 'invalid_grant' })
passed('a reused refresh token ends its family')

const silent = await logIn(config, { audience, prompt: 'none' })
assert.equal(silent.claims().sid, sid)
await openid.tokenRevocation(config, silent.refresh_token)
await assert.rejects(openid.refreshTokenGrant(config, silent.refresh_token), { error: 'invalid_grant' })
passed('a silent login, and the revocation of its tokens')

const end = openid.buildEndSessionUrl(config, {
  post_logout_redirect_uri: 'http://127.0.0.1:41234/',
  id_token_hint: tokens.id_token,
  state: 'bye',
})
assert.equal((await visit(end)).href, 'http://127.0.0.1:41234/?state=bye')
await assert.rejects(logIn(config, { audience, prompt: 'none' }), { error: 'login_required' })
passed('the end of the session')

const DPoP = openid.getDPoPHandle(config, await openid.randomDPoPKeyPair('ES256'))
const bound = await logIn(config, { resource: audience }, { DPoP })
assert.equal(bound.token_type, 'dpop')
await callApis(config, bound, { DPoP })
await openid.fetchUserInfo(config, bound.access_token, bound.claims().sub, { DPoP })
const again = await openid.refreshTokenGrant(config, bound.refresh_token, undefined, { DPoP })
await assert.rejects(openid.refreshTokenGrant(config, again.refresh_token), { error: 'invalid_grant' })
passed('a login with DPoP, by resource')

for (const token_endpoint_auth_method of ['none', 'client_secret_basic', 'client_secret_post']) {
  const metadata = { redirect_uris: [redirect_uri], token_endpoint_auth_method }
  const registered = await openid.dynamicClientRegistration(new URL(issuer), metadata, undefined, { execute })
  assert.ok((await logIn(registered, { audience })).refresh_token)
  passed(`dynamic registration: ${token_endpoint_auth_method}`)
}

// The other document, as a client of OAuth alone reads it.
const options = { algorithm: 'oauth2', [oauth.allowInsecureRequests]: true }
const document = await oauth.discoveryRequest(new URL(issuer), options)
const server = await oauth.processDiscoveryResponse(new URL(issuer), document)
assert.equal(server.authorization_endpoint, `${issuer}authorize`)
passed('the metadata of RFC 8414')

console.log(`login.mjs: ${checks} passed`)
