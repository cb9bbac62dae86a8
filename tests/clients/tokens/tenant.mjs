// The tenants of `tokens.mjs`: each client under test has one of its own, so that codes, quotas and refresh tokens
// are used once in each.
import { createServer, request as httpRequest } from 'node:http'
import { once } from 'node:events'
import { writeFileSync } from 'node:fs'
import { createHash, generateKeyPairSync, X509Certificate } from 'node:crypto'
import { Peer, VAULT } from './peer.mjs'
import { serve } from './program.mjs'

export const API = 'https://api.local.test'
export const BILLING = 'https://billing.local.test'
export const SHORT = 'https://short.local.test'
export const ORGANIZED = 'https://organized.local.test'
export const CALLBACK = 'http://localhost:3000/auth/callback'
// Characters that Basic authentication encodes (RFC 6749 §2.3.1).
export const ODD_SECRET = 'a b+/%:=&ü'

const OTP_SECRET = 'GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ'
const EDGE_KEY = 'the-key-of-the-edge-of-this-test'
const MFA = ['otp', 'oob', 'recovery-code'].map((name) => `http://auth0.com/oauth/grant-type/mfa-${name}`)
const USERS = [
  'authorization_code',
  'refresh_token',
  'password',
  'urn:ietf:params:oauth:grant-type:device_code',
  'urn:openid:params:grant-type:ciba',
  'http://auth0.com/oauth/grant-type/passwordless/otp',
  VAULT,
  ...MFA,
]

function pem(pair) {
  return {
    private: pair.privateKey.export({ type: 'pkcs8', format: 'pem' }),
    public: pair.publicKey.export({ type: 'spki', format: 'pem' }),
  }
}

export const rsa = pem(generateKeyPairSync('rsa', { modulusLength: 2048 }))
export const otherRsa = pem(generateKeyPairSync('rsa', { modulusLength: 2048 }))
export const proofKey = pem(generateKeyPairSync('ec', { namedCurve: 'P-256' })).private
export const otherProofKey = pem(generateKeyPairSync('ec', { namedCurve: 'P-256' })).private

function description(edge, certificate) {
  const person = (name, more) => ({
    user_id: `auth0|${name}`,
    name,
    email: `${name}@acme.com`,
    password: 'pa55',
    ...more,
  })
  const key = (algorithm) => ({
    client_id: `key-${algorithm}`,
    public_keys: [{ pem: rsa.public, alg: algorithm, kid: 'k1' }],
    callbacks: [CALLBACK],
  })
  const account = (login_hint, scopes) => ({ connection: 'google-oauth2', login_hint, scopes, expires_in: 600 })
  const thumbprint = createHash('sha256').update(new X509Certificate(certificate).raw).digest('base64url')
  const secret = { client_secret: 's3cret' }
  const grant = (audience, scopes, organization_usage) => ({ audience, scopes, organization_usage })
  return {
    users: [
      person('ann', {
        organizations: [{ id: 'org_acme', name: 'acme', permissions: ['read:a'] }],
        connected_accounts: [account('ann@work.test', ['calendar']), account('ann@home.test', ['mail'])],
        token_claims: { 'https://acme.com/plan': 'pro' },
      }),
      person('bob', { scopes: ['read:a'] }),
      person('otto', { factors: [{ type: 'otp', secret: OTP_SECRET }] }),
      person('sam', { factors: [{ type: 'sms', phone_number: '+15550100' }] }),
      person('pia', { factors: [{ type: 'push' }] }),
      person('rita', {
        factors: [
          { type: 'otp', secret: OTP_SECRET },
          { type: 'recovery-code', code: 'R3C0VERY' },
        ],
      }),
      person('nina', { mfa_required: true }),
      person('nora', { mfa_required: true }),
    ],
    apis: [
      { identifier: API, scopes: ['read:a', 'write:a'], allow_offline_access: true },
      { identifier: BILLING, scopes: ['read:b', 'write:b'], token_dialect: 'rfc9068_profile' },
      { identifier: SHORT, token_lifetime: 60 },
      { identifier: ORGANIZED, scopes: ['read:o'] },
    ],
    clients: [
      {
        client_id: 'machine',
        ...secret,
        client_grants: [
          grant(API, ['read:a', 'write:a']),
          grant(SHORT, []),
          grant(ORGANIZED, ['read:o'], 'require'),
        ],
      },
      { client_id: 'id+basic:1', client_secret: ODD_SECRET },
      { client_id: 'limited', ...secret, token_quota: { per_hour: 2 } },
      { client_id: 'plain', ...secret, grant_types: ['authorization_code'] },
      {
        client_id: 'api',
        ...secret,
        app_type: 'resource_server',
        resource_server_identifier: API,
        client_grants: [grant(BILLING, ['read:b'])],
      },
      { client_id: 'legacy', ...secret },
      {
        client_id: 'web',
        ...secret,
        callbacks: [CALLBACK],
        grant_types: USERS,
        multi_resource_refresh_tokens: true,
      },
      { client_id: 'signer', ...secret, callbacks: [CALLBACK], public_keys: [rsa.public] },
      { client_id: 'tv', grant_types: USERS },
      ...['RS256', 'RS384', 'PS256'].map(key),
      {
        client_id: 'worker',
        public_keys: [{ pem: rsa.public, alg: 'PS256' }],
        token_vault_privileged_access: { grants: [{ connection: 'google-oauth2', scopes: ['calendar'] }] },
      },
      { client_id: 'mtls', certificate_thumbprint: thumbprint, callbacks: [CALLBACK] },
    ],
    token_exchange_profiles: [
      {
        subject_token_type: 'urn:acme:legacy',
        subject_tokens: { 'session of ann': 'auth0|ann', 'session of bob': 'auth0|bob' },
        actor_tokens: { staff: 'support' },
      },
    ],
    organization_quotas: { org_small: { per_day: 1 } },
    mtls: { alias: edge, api_key: EDGE_KEY },
  }
}

// The edge of a custom domain: it says which certificate the client has, here always the same one.
async function startEdge(certificate) {
  const edge = { issuer: undefined, requests: 0 }
  const server = createServer((incoming, outgoing) => {
    edge.requests += 1
    const headers = {
      ...incoming.headers,
      host: new URL(edge.issuer).host,
      'cname-api-key': EDGE_KEY,
      'client-certificate': encodeURIComponent(certificate),
      'client-certificate-ca-verified': 'SUCCESS',
    }
    const url = new URL(incoming.url.slice(1), edge.issuer)
    const forwarded = httpRequest(url, { method: incoming.method, headers }, (answer) => {
      outgoing.writeHead(answer.statusCode, answer.headers)
      answer.pipe(outgoing)
    })
    incoming.pipe(forwarded)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  server.unref()
  edge.url = `http://127.0.0.1:${server.address().port}/`
  return edge
}

export class Tenant {
  static async start(program, folder, name, certificate, options = []) {
    const edge = await startEdge(certificate)
    const file = `${folder}/${name}.json`
    writeFileSync(file, JSON.stringify(description(edge.url, certificate)))
    const all = ['serve', '--port', '0', '--audience', API, '--tenant', file, ...options]
    const tenant = new Tenant()
    tenant.issuer = await serve(program, all, 'AUTH0_ISSUER=')
    tenant.edge = Object.assign(edge, { issuer: tenant.issuer })
    tenant.peer = await new Peer(tenant.issuer).discover()
    return tenant
  }

  async local(path, body, method = body === undefined ? 'GET' : 'POST') {
    const headers = { 'content-type': 'application/json' }
    const response = await fetch(`${this.issuer}__local/${path}`, {
      method,
      headers,
      body: body && JSON.stringify(body),
    })
    const answer = await response.json()
    if (!response.ok) throw new Error(`${path}: ${JSON.stringify(answer)}`)
    return answer
  }

  async token(of = {}) {
    return (await this.local('token', { subject: 'auth0|ann', expires_in: 500_000, ...of })).access_token
  }

  fault(faults) {
    return this.local('faults', faults)
  }

  clear() {
    return this.local('faults', undefined, 'DELETE')
  }

  // The user decides about the request that waits with this user code or message.
  async decide(of, decision) {
    const { requests } = await this.local('requests')
    const waiting = requests.find((known) => Object.entries(of).every(([name, value]) => known[name] === value))
    await this.local('requests', { [decision]: waiting.id })
  }

  async message(to) {
    const { messages } = await this.local('messages')
    return messages.filter((message) => message.to === to).at(-1)
  }

  async otp(user) {
    return (await this.local('otp', { user: `auth0|${user}` })).otp
  }

  // A user logs in with the grant `password`, or with a code: what a browser does.
  async login(user = 'bob', { scope = 'openid offline_access read:a', audience = API, dpop } = {}) {
    const client = { client_id: 'web', authentication: { secret_post: 's3cret' }, dpop }
    const more = { username: `${user}@acme.com`, password: 'pa55' }
    const { tokens, ...other } = await this.peer.send({
      client,
      request: { grant: { grant_type: 'password', scope, audience, more } },
    })
    if (tokens === undefined) throw new Error(JSON.stringify(other))
    return tokens
  }

  // Opens the URL of an authorization request. Returns the parameters of the redirect.
  async visit(url) {
    const response = await fetch(url, { redirect: 'manual' })
    if (response.status !== 302) throw new Error(`${response.status} ${await response.text()}`)
    return Object.fromEntries(new URL(response.headers.get('location')).searchParams)
  }
}
