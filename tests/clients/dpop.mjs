// DPoP as independent clients use it: oauth4webapi, and openid-client on top of it.
//
//     node dpop.mjs [--nonce] ISSUER AUDIENCE API...
//
// ISSUER is a tenant of auth0-local: with --nonce, one that requires nonces. Each API is a quickstart that
// trusts it. `.ci/clients` starts them all.
import assert from 'node:assert/strict'
import * as oauth from 'oauth4webapi'
import * as openid from 'openid-client'

const positional = process.argv.slice(2).filter((argument) => argument !== '--nonce')
const demandsNonce = positional.length < process.argv.length - 2
const [issuer, audience, ...apis] = positional
assert.ok(apis.length > 0, 'usage: node dpop.mjs [--nonce] ISSUER AUDIENCE API...')

// Plain http, on loopback only.
const insecure = { [oauth.allowInsecureRequests]: true }
const client = { client_id: 'independent' }
const clientAuth = oauth.ClientSecretPost('any')
const parameters = { audience, scope: 'read:messages' }
const SUBJECT = 'independent@clients'

const discovery = await oauth.discoveryRequest(new URL(issuer), insecure)
const server = await oauth.processDiscoveryResponse(new URL(issuer), discovery)
for (const algorithm of ['ES256', 'RS256', 'PS256', 'ES384', 'EdDSA']) {
  assert.ok(server.dpop_signing_alg_values_supported.includes(algorithm), algorithm)
}

let checks = 0
function passed(what) {
  checks += 1
  console.log(`ok ${what}`)
}

async function newKey(algorithm, options) {
  return oauth.DPoP(client, await oauth.generateKeyPair(algorithm), options)
}

async function askForToken(DPoP) {
  const options = { DPoP, ...insecure }
  const grant = oauth.clientCredentialsGrantRequest
  const response = await grant(server, client, clientAuth, parameters, options)
  return oauth.processClientCredentialsResponse(server, client, response)
}

// A token that is bound to the key of this handle, which keeps the nonce if there is one.
async function boundToken(DPoP) {
  if (demandsNonce) {
    await assert.rejects(askForToken(DPoP), (error) => {
      assert.equal(error.status, 400)
      assert.ok(oauth.isDPoPNonceError(error), 'use_dpop_nonce')
      return true
    })
  }
  const answer = await askForToken(DPoP)
  assert.equal(answer.token_type, 'dpop')
  const payload = JSON.parse(Buffer.from(answer.access_token.split('.')[1], 'base64url'))
  assert.deepEqual(payload.cnf, { jkt: await DPoP.calculateThumbprint() })
  return answer.access_token
}

// The requests of the client are kept, so that a thief can send them again.
async function call(url, token, DPoP) {
  const sent = []
  const recorded = (target, options) => {
    sent.push([target, options])
    return fetch(target, options)
  }
  const options = { DPoP, ...insecure, [oauth.customFetch]: recorded }
  const method = 'GET'
  const call = oauth.protectedResourceRequest(token, method, new URL(url), undefined, null, options)
  // The library throws a refusal that has a challenge.
  const response = await call.catch((error) => error.response ?? Promise.reject(error))
  assert.equal(sent.length, 1)
  return { response, request: sent[0] }
}

async function assertRefused(response, status, code, challenge) {
  assert.equal(response.status, status)
  assert.equal((await response.json()).error_code, code)
  assert.match(response.headers.get('www-authenticate'), challenge)
}

const [key, thief] = [await newKey('ES256'), await newKey('ES256')]
const token = await boundToken(key)
passed(`a bound token${demandsNonce ? ', with the nonce that was asked for' : ''}`)

for (const api of apis) {
  const url = `${api}/api/private`
  const { response, request } = await call(url, token, key)
  assert.equal(response.status, 200)
  assert.equal(await response.text(), `${SUBJECT}\n`)
  passed(`200 ${url}`)

  const replayed = await fetch(...request)
  await assertRefused(replayed, 401, 'dpop_proof_replayed', /DPoP error="invalid_dpop_proof"/)
  passed('401 the same request again')

  const [, options] = (await call(`${api}/api/public`, token, key)).request
  const moved = await fetch(url, options)
  await assertRefused(moved, 401, 'dpop_proof_invalid', /DPoP error="invalid_dpop_proof"/)
  passed('401 a proof for another path')

  const stolen = await call(url, token, thief)
  const mismatch = 'token_binding_mismatch'
  await assertRefused(stolen.response, 401, mismatch, /DPoP error="invalid_token"/)
  passed("401 a proof of another key than the token's")

  const bearer = await call(url, token, undefined)
  await assertRefused(bearer.response, 401, mismatch, /Bearer error="invalid_token"/)
  passed('401 a bound token as Bearer')
}

// The tenant binds tokens to any key. The quickstarts list ES256 only.
const older = { [oauth.modifyAssertion]: (header) => { header.alg = 'EdDSA' } }
for (const [name, algorithm, options] of [
  ['RS256', 'RS256'],
  ['PS256', 'PS256'],
  ['ES384', 'ES384'],
  ['Ed25519', 'Ed25519'],
  ['Ed25519 by its older name', 'Ed25519', older],
]) {
  const DPoP = await newKey(algorithm, options)
  const token = await boundToken(DPoP)
  for (const api of apis) {
    const { response } = await call(`${api}/api/private`, token, DPoP)
    await assertRefused(response, 401, 'dpop_proof_invalid', /algs="ES256"/)
  }
  passed(`401 ${name}, which the API does not list`)
}

const execute = [openid.allowInsecureRequests]
const secret = openid.ClientSecretPost('any')
const { client_id } = client
const config = await openid.discovery(new URL(issuer), client_id, undefined, secret, { execute })
const DPoP = openid.getDPoPHandle(config, await openid.randomDPoPKeyPair('ES256'))
const tokens = await openid.clientCredentialsGrant(config, parameters, { DPoP })
assert.equal(tokens.token_type, 'dpop')
for (const api of apis) {
  const url = new URL(`${api}/api/private-scoped`)
  const access = openid.fetchProtectedResource
  for (let turn = 0; turn < 2; turn += 1) {
    const response = await access(config, tokens.access_token, url, 'GET', null, undefined, { DPoP })
    assert.equal(response.status, 200)
    assert.equal(await response.text(), `messages of ${SUBJECT}\n`)
  }
  passed(`200 ${url} by openid-client, twice`)
}

console.log(`dpop.mjs: ${checks} passed`)
