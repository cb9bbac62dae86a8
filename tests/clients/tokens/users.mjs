// Tokens of users, once they have logged in: refresh, codes, passwordless, second factors.
import assert from 'node:assert/strict'
import { basic, bound, key, machine, post, refresh, test, web } from './case.mjs'
import { API, BILLING, CALLBACK, otherProofKey, proofKey } from './tenant.mjs'

export function users() {
  const revoked = async (tenant) => {
    const { refresh_token: token } = await tenant.login()
    await tenant.peer.send({ client: web, request: { revoke: { token } } })
    return { refresh: { token } }
  }
  const used = async (tenant) => {
    const { refresh_token: token } = await tenant.login()
    await tenant.peer.send({ client: web, request: { refresh: { token } } })
    return { refresh: { token } }
  }
  const grant = (more, of) => ({
    grant: {
      grant_type: 'password',
      scope: 'openid',
      ...of,
      more: { username: 'bob@acme.com', password: 'pa55', ...more },
    },
  })
  const mfa = (user, factor, more) => ({
    mfa: { ...grant({ username: `${user}@acme.com` }).grant, factor, ...more },
  })
  const otp =
    (user, factor = 'otp') =>
    async (tenant) =>
      mfa(user, factor, { code: await tenant.otp(user) })
  const code = (parameters, client, more) => async (tenant) => {
    const pushed = await tenant.peer.send({ client, request: { par: { redirect_uri: CALLBACK, ...parameters } } })
    const query = new URLSearchParams({ client_id: client.client_id, request_uri: pushed.done.request_uri })
    const { code } = await tenant.visit(`${tenant.issuer}authorize?${query}`)
    return { grant: { grant_type: 'authorization_code', more: { code, redirect_uri: CALLBACK, ...more } } }
  }
  const start = (more) => ({ passwordless_start: { connection: 'email', user: 'bob@acme.com', ...more } })
  const login =
    (more, address = 'bob@acme.com') =>
    async (tenant) => {
      await tenant.peer.send({ client: web, request: start({ user: address, ...more }) })
      const { code } = await tenant.message(address)
      return { passwordless: { connection: 'email', user: address, code, scope: 'openid', ...more } }
    }
  const message = (to) => async (tenant, started) =>
    (started.mfa_token ?? started.mfa) ? undefined : (await tenant.message(to)).code
  return [
    test('refresh', web, refresh(), 'tokens'),
    test('refresh: fewer scopes', web, refresh({ scope: 'read:a' }), 'tokens'),
    test('refresh: more scopes than those of the login', web, refresh({ scope: 'read:a write:a' }), 'tokens'),
    test('refresh: another API', web, refresh({ audience: BILLING, scope: 'read:b' }, { user: 'ann' }), 'tokens'),
    test('refresh: an unknown API', web, refresh({ audience: 'https://unknown.test' }), 'Denied'),
    test('refresh, DPoP', bound, refresh(), 'tokens'),
    test('refresh: an unknown token', web, { refresh: { token: 'unknown' } }, 'InvalidGrant'),
    test('refresh: a revoked token', web, revoked, 'InvalidGrant'),
    test('refresh: a token that was used', web, used, 'InvalidGrant'),
    test('refresh: a token of another client', post('legacy'), refresh(), 'InvalidGrant'),
    test('refresh: a wrong secret', post('web', 'wrong'), refresh(), 'InvalidClient'),
    test('revoke', web, async (tenant) => ({ revoke: { token: (await tenant.login()).refresh_token } }), 'done'),
    test('revoke: an unknown token', web, { revoke: { token: 'unknown' } }, 'done'),
    test(
      'revoke: a token of another client',
      post('legacy'),
      async (tenant) => ({ revoke: { token: (await tenant.login()).refresh_token } }),
      'InvalidGrant',
    ),
    test('revoke: a wrong secret', post('web', 'wrong'), { revoke: { token: 'unknown' } }, 'InvalidClient'),
    test('revoke, basic', basic('web', 's3cret'), { revoke: { token: 'unknown' } }, 'done'),
    test('revoke, private_key_jwt', key('key-PS256', 'PS256'), { revoke: { token: 'unknown' } }, 'done'),

    test('another grant', web, grant({}, { audience: API, scope: 'openid read:a offline_access' }), 'tokens'),
    test('another grant, DPoP', bound, grant({}, { audience: API }), 'tokens'),
    test('another grant, basic', basic('web', 's3cret'), grant(), 'tokens'),
    test('another grant: a wrong password', web, grant({ password: 'wrong' }), 'InvalidGrant'),
    test('another grant: a missing parameter', web, { grant: { grant_type: 'password' } }, 'Misconfigured'),
    test('a grant that does not exist', web, { grant: { grant_type: 'urn:acme:unknown' } }, 'Misconfigured'),
    test('a grant that the client does not have', post('legacy'), grant(), 'InvalidClient'),
    test('a code', web, code({ scope: 'openid' }, web), 'tokens'),
    test(
      'a code with details',
      web,
      code({ scope: 'openid', authorization_details: [{ type: 'payment', amount: '25' }] }, web),
      'tokens',
    ),
    test('a code of a bound request', bound, code({ scope: 'openid' }, bound), 'tokens'),
    test(
      'a code with another key',
      { ...web, dpop: otherProofKey },
      code({ scope: 'openid' }, bound),
      'InvalidGrant',
    ),
    test('a code without its key', web, code({ scope: 'openid' }, bound), 'InvalidGrant'),
    test(
      'a code with another redirect_uri',
      web,
      code({ scope: 'openid' }, web, { redirect_uri: 'http://localhost/x' }),
      'InvalidGrant',
    ),
    test(
      'a code that does not exist',
      web,
      { grant: { grant_type: 'authorization_code', more: { code: 'x', redirect_uri: CALLBACK } } },
      'InvalidGrant',
    ),

    test('passwordless: a code', web, start(), 'done'),
    test(
      'passwordless: a link',
      web,
      start({ code: 'link', more: { scope: 'openid', redirect_uri: CALLBACK, response_type: 'code' } }),
      'done',
    ),
    test('passwordless: an SMS', web, start({ connection: 'sms', user: '+15550101' }), 'done'),
    test('passwordless, basic', basic('web', 's3cret'), start(), 'done'),
    test('passwordless: no e-mail address', web, start({ user: 'bob' }), 'Misconfigured'),
    test('passwordless: a wrong secret', post('web', 'wrong'), start(), 'InvalidClient'),
    test('passwordless: a client without the grant', post('legacy'), start(), 'InvalidClient'),
    test('passwordless: the login', web, login(), 'tokens'),
    test('passwordless: the login by SMS', web, login({ connection: 'sms' }, '+15550102'), 'tokens'),
    test('passwordless: the login with an API, DPoP', bound, login({ audience: API, scope: 'read:a' }), 'tokens'),
    test(
      'passwordless: a wrong code',
      web,
      { passwordless: { connection: 'email', user: 'bob@acme.com', code: '000' } },
      'InvalidGrant',
    ),
    test('passwordless: a user who needs a factor', web, login({}, 'otto@acme.com'), 'MfaRequired', {
      check: ({ result }) => assert.deepEqual(result.error.mfa, { challenge: ['otp'], enroll: [] }),
    }),

    test('mfa: required', web, grant({ username: 'otto@acme.com' }), 'MfaRequired'),
    test('mfa: a one-time password', web, otp('otto'), 'tokens'),
    test('mfa: a used one-time password', web, otp('otto'), 'InvalidGrant'),
    test('mfa: a wrong one-time password', web, mfa('otto', 'otp', { code: '000000' }), 'InvalidGrant'),
    test('mfa: a one-time password, DPoP', bound, otp('rita'), 'tokens'),
    test('mfa: a recovery code', web, mfa('rita', 'recovery-code', { code: 'R3C0VERY' }), 'tokens'),
    test('mfa: a used recovery code', web, mfa('rita', 'recovery-code', { code: 'R3C0VERY' }), 'InvalidGrant'),
    test('mfa: a code by SMS', web, mfa('sam', 'oob'), 'tokens', { decide: message('+15550100') }),
    test('mfa: a wrong code by SMS', web, mfa('sam', 'oob'), 'InvalidGrant', {
      decide: async (tenant, started) => (started.challenge_type ? '000' : undefined),
    }),
    ...['approve', 'deny'].map((decision) =>
      test(`mfa: ${decision} a push`, web, mfa('pia', 'oob'), decision === 'approve' ? 'tokens' : 'Denied', {
        decide: async (tenant, started) => {
          if (started.challenge_type === undefined) return undefined
          await tenant.decide({ kind: 'mfa', user: 'auth0|pia' }, decision)
          return ''
        },
      }),
    ),
    test('mfa: a push that waits', web, mfa('pia', 'oob'), 'Pending', {
      decide: async (tenant, started) => (started.challenge_type ? '' : undefined),
    }),
    test('mfa: enroll an app', web, mfa('nina', 'enroll-otp'), 'tokens', {
      decide: async (tenant, started) => (started.secret ? tenant.otp('nina') : undefined),
    }),
    test('mfa: enroll a phone', web, mfa('nora', 'enroll-oob', { code: '+15550103' }), 'tokens', {
      decide: message('+15550103'),
    }),
  ]
}

export function nonces() {
  const client = { ...post('machine'), dpop: proofKey }
  return [
    test('DPoP with a nonce', client, machine(), 'tokens'),
    test(
      'DPoP with a nonce, private_key_jwt',
      { ...key('key-PS256', 'PS256'), dpop: proofKey },
      machine(),
      'tokens',
    ),
    test(
      'DPoP with a nonce: on behalf of',
      { ...post('api'), dpop: proofKey },
      async (tenant) => ({ on_behalf_of: { audience: BILLING, token: await tenant.token() } }),
      'tokens',
    ),
    test('DPoP with a nonce: refresh', bound, refresh({}, { dpop: proofKey }), 'tokens'),
    test(
      'DPoP with a nonce: userinfo',
      bound,
      {
        grant: {
          grant_type: 'password',
          scope: 'openid email',
          more: { username: 'bob@acme.com', password: 'pa55' },
        },
      },
      'tokens',
      {
        api: (tenant) => `${tenant.issuer}userinfo`,
        check: ({ result }) => {
          assert.equal(result.api.status, 200)
          assert.equal(JSON.parse(result.api.body).sub, 'auth0|bob')
        },
      },
    ),
    test('no DPoP where nonces are required', post('machine'), machine(), 'tokens'),
  ]
}
