// The requests of `tokens.mjs` as an independent client sends them: oauth4webapi, and plain JSON where it has no
// function. The answers have the same form as those of the program `token-client`.
import { createPrivateKey, createPublicKey, webcrypto } from 'node:crypto'
import * as oauth from 'oauth4webapi'
import { claims } from './program.mjs'

export const ACCESS_TOKEN = 'urn:ietf:params:oauth:token-type:access_token'
export const REFRESH_TOKEN = 'urn:ietf:params:oauth:token-type:refresh_token'
export const EXCHANGE = 'urn:ietf:params:oauth:grant-type:token-exchange'
export const VAULT = 'urn:auth0:params:oauth:grant-type:token-exchange:federated-connection-access-token'
const VAULT_TOKEN = 'http://auth0.com/oauth/token-type/federated-connection-access-token'
const WORKER_TOKEN = 'http://auth0.com/oauth/token-type/token-vault-access-token'
const JWT = 'urn:ietf:params:oauth:token-type:jwt'
const PASSWORDLESS = 'http://auth0.com/oauth/grant-type/passwordless/otp'
const MFA = 'http://auth0.com/oauth/grant-type/mfa-'

// Plain http, on loopback only.
const insecure = { [oauth.allowInsecureRequests]: true }
const { subtle } = webcrypto

const ALGORITHMS = {
  RS256: { name: 'RSASSA-PKCS1-v1_5', hash: 'SHA-256' },
  RS384: { name: 'RSASSA-PKCS1-v1_5', hash: 'SHA-384' },
  PS256: { name: 'RSA-PSS', hash: 'SHA-256' },
  ES256: { name: 'ECDSA', namedCurve: 'P-256' },
}

function privateKey(pem, algorithm) {
  const der = createPrivateKey(pem).export({ type: 'pkcs8', format: 'der' })
  return subtle.importKey('pkcs8', der, ALGORITHMS[algorithm], false, ['sign'])
}

// A handle for proofs with this key.
async function proofs(pem, client) {
  const spki = createPublicKey(pem).export({ type: 'spki', format: 'der' })
  const publicKey = await subtle.importKey('spki', spki, ALGORITHMS.ES256, true, ['verify'])
  return oauth.DPoP(client, { privateKey: await privateKey(pem, 'ES256'), publicKey })
}

async function authentication({ authentication: method }) {
  if (method === 'none') return oauth.None()
  if (method.secret_post !== undefined) return oauth.ClientSecretPost(method.secret_post)
  if (method.secret_basic !== undefined) return oauth.ClientSecretBasic(method.secret_basic)
  if (method.certificate !== undefined) return oauth.TlsClientAuth()
  const { pem, algorithm, id } = method.key
  return oauth.PrivateKeyJwt({ key: await privateKey(pem, algorithm), kid: id })
}

// What an answer says that is not a success, in all documented shapes.
async function refusal(response) {
  const text = await response.text()
  let body
  try {
    body = JSON.parse(text)
  } catch {
    return { status: response.status }
  }
  const description = body.error_description ?? body.message ?? body.description
  return { status: response.status, code: body.error ?? body.code, description, body }
}

// Sends a request, and once more with a nonce if the server requires one. Returns the answer, or the refusal.
async function ask(request, process, options) {
  for (let turn = 0; ; turn += 1) {
    let response
    try {
      response = await request(options)
    } catch (error) {
      // There is no answer.
      if (error instanceof TypeError) return { error: {} }
      throw error
    }
    const copy = response.clone()
    try {
      return { answer: (await process(response)) ?? {} }
    } catch (error) {
      if (turn === 0 && oauth.isDPoPNonceError(error)) continue
      return { error: await refusal(copy) }
    }
  }
}

const sorted = (scope) => (scope ?? '').split(' ').sort().join(' ')

// The claims, but for those that are random or times, and for the order of scopes.
function comparable(token, issuer) {
  const own = claims(token)
  if (own === undefined) return undefined
  for (const name of ['iat', 'exp', 'jti', 'auth_time', 'sid', 'at_hash']) delete own[name]
  if (own.scope !== undefined) own.scope = sorted(own.scope)
  return JSON.parse(JSON.stringify(own).replaceAll(issuer, 'ISSUER/'))
}

// The properties of tokens that a comparison sees.
export function properties(tokens, issuer) {
  const { access_token, refresh_token, id_token } = tokens
  return {
    token_type: tokens.token_type.toLowerCase(),
    scope: sorted(tokens.scope),
    expires_in: tokens.expires_in,
    issued_token_type: tokens.issued_token_type ?? undefined,
    authorization_details: tokens.authorization_details ?? undefined,
    has_refresh_token: typeof refresh_token === 'string',
    has_recovery_code: typeof tokens.recovery_code === 'string',
    claims: comparable(access_token, issuer),
    id_token: id_token ? comparable(id_token, issuer) : undefined,
  }
}

export class Peer {
  constructor(issuer) {
    this.issuer = issuer
  }

  async discover() {
    const url = new URL(this.issuer)
    this.server = await oauth.processDiscoveryResponse(url, await oauth.discoveryRequest(url, insecure))
    return this
  }

  // Sends the request that a description has. `onStarted` is called as in `send`.
  async send({ client: described, request }, onStarted = () => undefined) {
    const use_mtls_endpoint_aliases = described.authentication.certificate !== undefined
    const client = { client_id: described.client_id, use_mtls_endpoint_aliases }
    const [[kind, of]] = Object.entries(request)
    const call = {
      described,
      server: this.server,
      client,
      auth: await authentication(described),
      options: { ...insecure, DPoP: described.dpop && (await proofs(described.dpop, client)) },
      onStarted,
    }
    // Where the answer names no scopes, those of the request count (RFC 6749 §5.1).
    const result = await this[kind](call, of)
    if (result.answer?.access_token !== undefined) {
      return { tokens: { scope: of.scope, ...result.answer } }
    }
    return result.answer === undefined ? result : { done: result.answer }
  }

  grant({ server, client, auth, options }, { grant_type, audience, scope, more = {} }, added = {}) {
    const parameters = given({ audience, scope, ...more, ...added })
    const request = (own) => oauth.genericTokenEndpointRequest(server, client, auth, grant_type, parameters, own)
    const process = (response) => oauth.processGenericTokenEndpointResponse(server, client, response)
    return ask(request, process, options)
  }

  machine({ server, client, auth, options }, { audience, scope, organization, resource, more = {} }) {
    const parameters = given({ audience, scope, organization, resource, ...more })
    const request = (own) => oauth.clientCredentialsGrantRequest(server, client, auth, parameters, own)
    const process = (response) => oauth.processClientCredentialsResponse(server, client, response)
    return ask(request, process, options)
  }

  on_behalf_of(call, { token, ...of }) {
    const types = { subject_token_type: ACCESS_TOKEN, requested_token_type: ACCESS_TOKEN }
    return this.grant(call, { grant_type: EXCHANGE, ...of }, { subject_token: token, ...types })
  }

  exchange(call, { token, token_type, actor_token, actor_token_type, organization, ...of }) {
    const subject = { subject_token: token, subject_token_type: token_type }
    const actor = { actor_token, actor_token_type, organization }
    return this.grant(call, { grant_type: EXCHANGE, ...of }, { ...subject, ...actor })
  }

  async vault(call, { token, token_type, connection, login_hint, user, message }) {
    const of = { connection, login_hint }
    // Tokens of another provider are not bound.
    const unbound = { ...call, options: insecure }
    if (token_type !== 'worker') {
      const subject_token_type = token_type === 'access_token' ? ACCESS_TOKEN : REFRESH_TOKEN
      const types = { subject_token_type, requested_token_type: VAULT_TOKEN }
      return this.grant(unbound, { grant_type: VAULT }, { ...of, ...types, subject_token: token })
    }
    const subject_token = await worker(call, this.issuer, user, message)
    const types = { subject_token_type: JWT, requested_token_type: WORKER_TOKEN }
    return this.grant(unbound, { grant_type: VAULT }, { ...of, ...types, subject_token })
  }

  async refresh({ server, client, auth, options }, { token, audience, scope, more = {} }) {
    const additionalParameters = given({ audience, scope, ...more })
    const request = (own) =>
      oauth.refreshTokenGrantRequest(server, client, auth, token, { ...own, additionalParameters })
    const process = (response) => oauth.processRefreshTokenResponse(server, client, response)
    const result = await ask(request, process, options)
    // Without another one, it stays valid (RFC 6749 §6).
    if (result.answer !== undefined) result.answer.refresh_token ??= token
    return result
  }

  revoke({ server, client, auth, options }, { token }) {
    const additionalParameters = { token_type_hint: 'refresh_token' }
    const request = () =>
      oauth.revocationRequest(server, client, auth, token, { ...insecure, additionalParameters })
    return ask(request, oauth.processRevocationResponse, options)
  }

  async device({ server, client, auth, options, onStarted }, { audience, scope }) {
    const parameters = given({ audience, scope })
    const start = () => oauth.deviceAuthorizationRequest(server, client, auth, parameters, insecure)
    const begin = (response) => oauth.processDeviceAuthorizationResponse(server, client, response)
    const { answer: started, ...refused } = await ask(start, begin, options)
    if (started === undefined) return refused
    await onStarted(started)
    const request = (own) => oauth.deviceCodeGrantRequest(server, client, auth, started.device_code, own)
    const process = (response) => oauth.processDeviceCodeResponse(server, client, response)
    return ask(request, process, options)
  }

  async backchannel({ server, client, auth, options, onStarted }, of) {
    const { user, message, audience, scope = '', authorization_details: details, more = {} } = of
    const hint = { format: 'iss_sub', iss: server.issuer, sub: user }
    const parameters = given({
      audience,
      scope: [...new Set([...scope.split(' ').filter(Boolean), 'openid'])].join(' '),
      login_hint: JSON.stringify(hint),
      binding_message: message,
      authorization_details: details && JSON.stringify(details),
      ...more,
    })
    const start = () => oauth.backchannelAuthenticationRequest(server, client, auth, parameters, insecure)
    const begin = (response) => oauth.processBackchannelAuthenticationResponse(server, client, response)
    const { answer: started, ...refused } = await ask(start, begin, options)
    if (started === undefined) return refused
    await onStarted(started)
    const request = (own) =>
      oauth.backchannelAuthenticationGrantRequest(server, client, auth, started.auth_req_id, own)
    const process = (response) => oauth.processBackchannelAuthenticationGrantResponse(server, client, response)
    const result = await ask(request, process, options)
    if (result.answer !== undefined) result.answer.scope ??= parameters.scope
    return result
  }

  async passwordless_start(call, { connection, user, code, more = {} }) {
    const address = connection === 'sms' ? { phone_number: user } : { email: user }
    const authParams = Object.keys(more).length > 0 ? more : undefined
    const body = { connection, ...address, send: code === 'link' ? 'link' : 'code', authParams }
    const { answer, ...refused } = await this.json(call, 'passwordless/start', body)
    return answer === undefined ? refused : { answer: {} }
  }

  passwordless(call, { connection, user, code, ...of }) {
    const login = { username: user, otp: code, realm: connection === 'sms' ? 'sms' : 'email' }
    return this.grant(call, { grant_type: PASSWORDLESS, ...of }, login)
  }

  async par({ server, client, auth, options, described }, of) {
    // The key is named in a parameter, and not proved.
    let parameters = authorization(of, options.DPoP && (await options.DPoP.calculateThumbprint()))
    if (of.is_signed) {
      const pem = described.request_key ?? described.authentication.key.pem
      const algorithm = described.authentication.key?.algorithm ?? 'RS256'
      const key = await privateKey(pem, algorithm)
      const kid = described.authentication.key?.id
      const request = await oauth.issueRequestObject(server, client, parameters, { key, kid })
      parameters = { request }
    }
    const request = () => oauth.pushedAuthorizationRequest(server, client, auth, parameters, insecure)
    const process = (response) => oauth.processPushedAuthorizationResponse(server, client, response)
    return ask(request, process, insecure)
  }

  // Passes the second factor that a grant requires.
  async mfa(call, { factor, code, ...of }) {
    const first = await this.grant(call, of)
    const mfa_token = first.error?.body?.mfa_token
    if (mfa_token === undefined) return first
    await call.onStarted(first.error.body)
    const verify = (kind, parameters) =>
      this.grant(call, { grant_type: `${MFA}${kind}` }, { mfa_token, ...parameters })
    if (factor === 'otp') return verify('otp', { otp: code })
    if (factor === 'recovery-code') return verify('recovery-code', { recovery_code: code })
    const bearer = { authorization: `Bearer ${mfa_token}` }
    if (factor === 'oob') {
      const all = await (await fetch(`${this.issuer}mfa/authenticators`, { headers: bearer })).json()
      const authenticator_id = all.find((known) => known.authenticator_type === 'oob').id
      const body = { mfa_token, challenge_type: 'otp oob', authenticator_id }
      const { answer, ...refused } = await this.json(call, 'mfa/challenge', body)
      if (answer === undefined) return refused
      const { oob_code } = answer
      const binding_code = await call.onStarted({ challenge_type: answer.challenge_type })
      return verify('oob', { oob_code, ...given({ binding_code: binding_code || undefined }) })
    }
    const body =
      factor === 'enroll-otp'
        ? { authenticator_types: ['otp'] }
        : { authenticator_types: ['oob'], oob_channels: ['sms'], phone_number: code }
    const { answer, ...refused } = await post(`${this.issuer}mfa/associate`, body, bearer)
    if (answer === undefined) return refused
    const entered = await call.onStarted(answer)
    if (factor === 'enroll-otp') return verify('otp', { otp: entered })
    return verify('oob', { oob_code: answer.oob_code, binding_code: entered })
  }

  // A request in JSON, with the credentials of the client.
  async json({ server, client, auth }, path, members) {
    const [body, headers] = [new URLSearchParams(), new Headers()]
    await auth(server, client, body, headers)
    return post(`${this.issuer}${path}`, { ...Object.fromEntries(body), ...members }, Object.fromEntries(headers))
  }
}

async function post(url, members, headers) {
  const body = JSON.stringify(members)
  const response = await fetch(url, {
    method: 'POST',
    body,
    headers: { ...headers, 'content-type': 'application/json' },
  })
  if (response.ok) return { answer: await response.json() }
  return { error: await refusal(response) }
}

// Returns the parameters that are there.
function given(parameters) {
  return Object.fromEntries(Object.entries(parameters).filter(([, value]) => value !== undefined && value !== ''))
}

export function authorization(
  { redirect_uri, scope, audience, authorization_details: details, more = {} },
  dpop_jkt,
) {
  return given({
    response_type: 'code',
    redirect_uri,
    scope,
    audience,
    authorization_details: details && JSON.stringify(details),
    dpop_jkt,
    ...more,
  })
}

// The JWT of a privileged worker.
async function worker({ described, client }, issuer, user, audit_context) {
  const { pem, algorithm, id } = described.authentication.key
  const now = Math.floor(Date.now() / 1000)
  const encode = (value) => Buffer.from(JSON.stringify(value)).toString('base64url')
  const header = { typ: 'token-vault-req+jwt', alg: algorithm, kid: id }
  const payload = {
    iss: client.client_id,
    sub: user,
    aud: issuer,
    iat: now,
    exp: now + 60,
    jti: webcrypto.randomUUID(),
    audit_context,
  }
  const input = `${encode(header)}.${encode(payload)}`
  const { name } = ALGORITHMS[algorithm]
  const parameters = { name, saltLength: 32 }
  const signature = await subtle.sign(parameters, await privateKey(pem, algorithm), Buffer.from(input))
  return `${input}.${Buffer.from(signature).toString('base64url')}`
}
