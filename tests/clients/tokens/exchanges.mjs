// Exchanges: on behalf of the caller, of tokens of other systems, Token Vault.
import assert from 'node:assert/strict'
import { key, post, refresh, test, tv, web } from './case.mjs'
import { API, BILLING, proofKey } from './tenant.mjs'

export function delegation() {
  const obo = (of, token) => async (tenant) => ({
    on_behalf_of: { audience: BILLING, token: await tenant.token(token), ...of },
  })
  const act = (depth) => (depth === 0 ? undefined : { sub: `c${depth}`, act: act(depth - 1) })
  const api = post('api')
  return [
    test('on behalf of', api, obo(), 'tokens'),
    test('on behalf of: a scope', api, obo({ scope: 'read:b' }), 'tokens'),
    test('on behalf of: a scope that is not granted', api, obo({ scope: 'write:b' }), 'tokens'),
    test('on behalf of: an organization', api, obo({}, { organization: 'org_acme:acme' }), 'tokens'),
    test('on behalf of, DPoP', { ...api, dpop: proofKey }, obo(), 'tokens'),
    test('on behalf of: the chain of three clients', api, obo({}, { claims: { act: act(3) } }), 'tokens'),
    test('on behalf of: too long a chain', api, obo({}, { claims: { act: act(4) } }), 'Denied'),
    test(
      'on behalf of: an expired subject',
      api,
      obo({}, { expires_in: undefined, expired: true }),
      'InvalidGrant',
    ),
    test('on behalf of: a subject for another API', api, obo({}, { audience: BILLING }), 'InvalidGrant'),
    test(
      'on behalf of: a subject of another issuer',
      api,
      obo({}, { claims: { iss: 'https://other.test/' } }),
      'InvalidGrant',
    ),
    test('on behalf of: a subject that another tenant signed', api, obo({ token: foreignToken }), 'InvalidGrant'),
    test('on behalf of: garbage', api, obo({ token: 'garbage' }), 'InvalidGrant'),
    test(
      'on behalf of: an ID token',
      api,
      async (tenant) => ({ on_behalf_of: { audience: BILLING, token: (await tenant.login()).id_token } }),
      'InvalidGrant',
    ),
    test('on behalf of: nothing', api, obo({ token: '' }), 'Misconfigured', { peer: false }),
    test('on behalf of: an unknown API', api, obo({ audience: 'https://unknown.test' }), 'Denied'),
    test('on behalf of: another client', post('legacy'), obo(), 'InvalidClient'),
    test('on behalf of: a wrong secret', post('api', 'wrong'), obo(), 'InvalidClient'),
    test('on behalf of: a public client', tv, obo(), 'mistake', { peer: false }),
    test('on behalf of: a subject that ends first', api, obo({}, { expires_in: 120 }), 'tokens', {
      peer: false,
      check: ({ result }) => assert.ok(Math.abs(result.tokens.expires_in - 120) <= 5),
    }),
  ]
}

// Signed by a key that is not one of the tenant.
const foreignToken = [
  { alg: 'RS256', typ: 'JWT' },
  { iss: 'https://other.test/', sub: 'auth0|ann', aud: API, azp: 'web', exp: 4_000_000_000 },
  'signature',
]
  .map((part) => Buffer.from(typeof part === 'string' ? part : JSON.stringify(part)).toString('base64url'))
  .join('.')

export function exchanges() {
  const legacy = post('legacy')
  const exchange = (of) => ({ exchange: { token_type: 'urn:acme:legacy', token: 'session of ann', ...of } })
  const transfer = (tenant) => exchange({ audience: `urn:${new URL(tenant.issuer).host}:session_transfer` })
  const actor = { actor_token: 'staff', actor_token_type: 'urn:acme:staff' }
  return [
    test('exchange', legacy, exchange(), 'tokens'),
    test('exchange: an API and scopes', legacy, exchange({ audience: API, scope: 'read:a openid' }), 'tokens'),
    test(
      'exchange: fewer scopes than requested',
      legacy,
      exchange({ token: 'session of bob', audience: API, scope: 'read:a write:a' }),
      'tokens',
    ),
    test(
      'exchange: a refresh token',
      legacy,
      exchange({ audience: API, scope: 'openid offline_access' }),
      'tokens',
    ),
    test(
      'exchange: an actor',
      legacy,
      exchange({ audience: API, ...actor, scope: 'openid offline_access' }),
      'tokens',
    ),
    test('exchange: an unknown actor', legacy, exchange({ ...actor, actor_token: 'nobody' }), 'Misconfigured'),
    test('exchange: an organization', legacy, exchange({ audience: API, organization: 'org_acme' }), 'tokens'),
    test('exchange: another organization', legacy, exchange({ organization: 'org_other' }), 'Denied'),
    test('exchange: a parameter', legacy, exchange({ more: { device: 'phone' } }), 'tokens'),
    test('exchange, DPoP', { ...legacy, dpop: proofKey }, exchange({ audience: API }), 'tokens'),
    test('exchange: an unknown token', legacy, exchange({ token: 'unknown' }), 'Misconfigured'),
    test('exchange: an unknown type', legacy, exchange({ token_type: 'urn:acme:other' }), 'Misconfigured'),
    test('exchange: an unknown API', legacy, exchange({ audience: 'https://unknown.test' }), 'Denied'),
    test('exchange: a reserved type', legacy, exchange({ token_type: 'urn:ietf:x' }), 'Misconfigured', {
      peer: false,
    }),
    test('exchange: a wrong secret', post('legacy', 'wrong'), exchange(), 'InvalidClient'),
    // oauth4webapi knows no token_type N_A.
    test('exchange: a session transfer', legacy, transfer, 'tokens', {
      peer: false,
      check: ({ result }) => assert.match(result.tokens.issued_token_type, /:session_transfer_token$/),
    }),
    test('exchange: a session transfer, DPoP', { ...legacy, dpop: proofKey }, transfer, 'tokens', {
      peer: false,
    }),
  ]
}

export function vault() {
  const api = post('api')
  const of = (more, token) => async (tenant) => ({
    vault: { token_type: 'access_token', connection: 'google-oauth2', token: await tenant.token(token), ...more },
  })
  const is = (login_hint) => ({
    check: async ({ tenant, result }) => {
      const account = await tenant.local('vault', { token: result.tokens.access_token })
      assert.equal(account.login_hint, login_hint)
    },
  })
  const worker = (more) => ({
    vault: {
      token_type: 'worker',
      connection: 'google-oauth2',
      user: 'auth0|ann',
      message: 'nightly sync',
      ...more,
    },
  })
  const ofWorker = key('worker', 'PS256')
  return [
    test('vault: no hint', api, of(), 'tokens', is('ann@work.test')),
    test('vault: a hint', api, of({ login_hint: 'ann@home.test' }), 'tokens', is('ann@home.test')),
    test('vault: the other hint', api, of({ login_hint: 'ann@work.test' }), 'tokens', is('ann@work.test')),
    test('vault: an unknown hint', api, of({ login_hint: 'ann@x.test' }), 'AccountNotConnected'),
    test('vault: an unknown connection', api, of({ connection: 'github' }), 'AccountNotConnected'),
    test('vault: a user without accounts', api, of({}, { subject: 'auth0|bob' }), 'AccountNotConnected'),
    test('vault: an unknown user', api, of({}, { subject: 'auth0|nobody' }), 'InvalidGrant'),
    test('vault: an expired subject', api, of({}, { expires_in: undefined, expired: true }), 'InvalidGrant'),
    test('vault: a subject for another API', api, of({}, { audience: BILLING }), 'InvalidGrant'),
    test('vault: garbage', api, of({ token: 'garbage' }), 'InvalidGrant'),
    test('vault: a wrong secret', post('api', 'wrong'), of(), 'InvalidClient'),
    test('vault: another client', post('legacy'), of(), 'InvalidClient'),
    test('vault, DPoP', { ...api, dpop: proofKey }, of(), 'tokens'),
    test(
      'vault: a refresh token that rotates',
      web,
      async (tenant) => ({
        vault: {
          token_type: 'refresh_token',
          connection: 'google-oauth2',
          token: (await tenant.login('ann')).refresh_token,
        },
      }),
      'Misconfigured',
    ),
    test('vault: a worker', ofWorker, worker(), 'tokens', is('ann@work.test')),
    test(
      'vault: a worker and a user without accounts',
      ofWorker,
      worker({ user: 'auth0|bob' }),
      'AccountNotConnected',
    ),
    test('vault: a worker and an unknown user', ofWorker, worker({ user: 'auth0|nobody' }), 'InvalidGrant'),
    test('vault: a worker and another connection', ofWorker, worker({ connection: 'github' }), 'InvalidClient'),
  ]
}

export function unrotated() {
  const vault =
    (more, user = 'ann') =>
    async (tenant) => ({
      vault: {
        token_type: 'refresh_token',
        connection: 'google-oauth2',
        token: (await tenant.login(user)).refresh_token,
        ...more,
      },
    })
  return [
    test('a refresh token that stays', web, refresh(), 'tokens'),
    test('vault: a refresh token', web, vault(), 'tokens'),
    test('vault: an unknown refresh token', web, vault({ token: 'unknown' }), 'InvalidGrant'),
  ]
}
