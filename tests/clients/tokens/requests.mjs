// Requests that a user has to open or to answer: PAR, JAR, the device flow, CIBA.
import assert from 'node:assert/strict'
import { authorization } from './peer.mjs'
import { basic, bound, key, post, refresh, test, tv, web } from './case.mjs'
import { API, CALLBACK, otherRsa, proofKey, rsa } from './tenant.mjs'

export function pushes() {
  const par = (more) => ({ par: { redirect_uri: CALLBACK, scope: 'openid read:a', audience: API, ...more } })
  const signer = { ...post('signer'), request_key: rsa.private }
  const details = [{ type: 'payment', amount: '25.00', creditor: 'Müller & Söhne' }]
  const challenge = {
    code_challenge: 'E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM',
    code_challenge_method: 'S256',
  }
  const more = { state: 'a b&c', nonce: 'n', max_age: '600', ...challenge }
  // The request works in a browser, at both tenants.
  const opens = {
    check: async ({ tenant, theirs, result, answer }) => {
      const query = new URL(result.done.url).searchParams
      assert.deepEqual([...query.keys()], ['client_id', 'request_uri'])
      const theirQuery = new URLSearchParams({
        client_id: query.get('client_id'),
        request_uri: answer.done.request_uri,
      })
      const [own, other] = [
        await tenant.visit(result.done.url),
        await theirs.visit(`${theirs.issuer}authorize?${theirQuery}`),
      ]
      assert.ok(own.code)
      assert.deepEqual({ ...own, code: '', iss: '' }, { ...other, code: '', iss: '' })
      assert.equal(result.done.expires_in, answer.done.expires_in)
    },
  }
  return [
    test('PAR', web, par({ more }), 'done', opens),
    test('PAR, basic', basic('web', 's3cret'), par(), 'done', opens),
    test('PAR, private_key_jwt', key('key-PS256', 'PS256'), par(), 'done', opens),
    test('PAR with details', web, par({ authorization_details: details }), 'done', opens),
    test('PAR, DPoP', bound, par(), 'done', opens),
    test('PAR with JAR', signer, par({ is_signed: true, more }), 'done', opens),
    test(
      'PAR with JAR and details',
      signer,
      par({ is_signed: true, authorization_details: details }),
      'done',
      opens,
    ),
    test('PAR with JAR, DPoP', { ...signer, dpop: proofKey }, par({ is_signed: true }), 'done', opens),
    ...['RS256', 'RS384', 'PS256'].map((algorithm) =>
      test(
        `PAR with JAR ${algorithm}`,
        key(`key-${algorithm}`, algorithm, { id: 'k1' }),
        par({ is_signed: true }),
        'done',
        opens,
      ),
    ),
    test(
      'PAR with JAR: another key',
      { ...signer, request_key: otherRsa.private },
      par({ is_signed: true }),
      'Misconfigured',
    ),
    test('PAR with JAR: no key', post('signer'), par({ is_signed: true }), 'Misconfigured', { peer: false }),
    test('PAR: another redirect_uri', web, par({ redirect_uri: 'http://localhost:3000/other' }), 'Misconfigured'),
    test('PAR: an unknown API', web, par({ audience: 'https://unknown.test' }), 'Denied'),
    test('PAR: a wrong secret', post('web', 'wrong'), par(), 'InvalidClient'),
    test('PAR: a public client', tv, par(), 'Misconfigured', { peer: false }),
    test(
      'JAR without PAR',
      signer,
      { authorize: { redirect_uri: CALLBACK, scope: 'openid', is_signed: true, more } },
      'done',
      {
        peer: false,
        check: async ({ tenant, result }) => assert.equal((await tenant.visit(result.done.url)).state, 'a b&c'),
      },
    ),
    test('a request without PAR', web, { authorize: { redirect_uri: CALLBACK, scope: 'openid', more } }, 'done', {
      peer: false,
      check: async ({ tenant, result }) => {
        const sent = Object.fromEntries(new URL(result.done.url).searchParams)
        assert.deepEqual(sent, {
          client_id: 'web',
          ...authorization({ redirect_uri: CALLBACK, scope: 'openid', more }),
        })
        assert.equal((await tenant.visit(result.done.url)).state, 'a b&c')
      },
    }),
  ]
}

export function devices() {
  const device = (more) => ({ device: { scope: 'openid read:a offline_access', audience: API, ...more } })
  const decide = (decision) => ({
    decide: async (tenant, { user_code }) => {
      await tenant.decide({ id: user_code }, decision)
    },
  })
  const withVerification = {
    ...decide('approve'),
    check: ({ started: [pending], tenant }) => {
      assert.equal(pending.verification_uri, `${tenant.issuer}activate`)
      assert.equal(pending.verification_uri_complete, `${tenant.issuer}activate?user_code=${pending.user_code}`)
      assert.equal(pending.expires_in, 900)
    },
  }
  const ciba = (more) => ({ backchannel: { user: 'auth0|bob', audience: API, scope: 'read:a', ...more } })
  let count = 0
  const asked = (name, client, more, decision, expected) => {
    count += 1
    const message = `Pay 25.00 to Hanna #${count}`
    return test(name, client, ciba({ message, ...more }), expected, {
      decide: async (tenant) => {
        await tenant.decide({ binding_message: message }, decision)
      },
    })
  }
  return [
    test('device: approved', tv, device(), 'tokens', withVerification),
    test('device: denied', tv, device(), 'Denied', decide('deny')),
    test('device: a confidential client', web, device(), 'tokens', decide('approve')),
    test('device: a client that signs', key('key-RS256', 'RS256'), device(), 'InvalidClient'),
    test('device: approved, DPoP', { ...tv, dpop: proofKey }, device(), 'tokens', decide('approve')),
    test('device: a client without the grant', post('legacy'), device(), 'InvalidClient'),
    test('device: an unknown client', { client_id: 'unknown', authentication: 'none' }, device(), 'InvalidClient'),
    test('device: an unknown API', tv, device({ audience: 'https://unknown.test' }), 'Denied'),
    asked('CIBA: approved', web, {}, 'approve', 'tokens'),
    asked('CIBA: denied', web, {}, 'deny', 'Denied'),
    asked('CIBA: approved, basic', basic('web', 's3cret'), {}, 'approve', 'tokens'),
    asked('CIBA: approved, DPoP', bound, {}, 'approve', 'tokens'),
    asked(
      'CIBA: details',
      web,
      { authorization_details: [{ type: 'payment', amount: '25' }] },
      'approve',
      'tokens',
    ),
    asked('CIBA: a refresh token', web, { scope: 'offline_access' }, 'approve', 'tokens'),
    test('CIBA: an unknown user', web, ciba({ user: 'auth0|nobody', message: 'x' }), 'Misconfigured'),
    test('CIBA: a letter that is not ASCII', web, ciba({ message: 'Müller' }), 'Misconfigured', { peer: false }),
    test('CIBA: an unknown API', web, ciba({ message: 'x', audience: 'https://unknown.test' }), 'Denied'),
    test('CIBA: a wrong secret', post('web', 'wrong'), ciba({ message: 'x' }), 'InvalidClient'),
    test('CIBA: a client without the grant', post('legacy'), ciba({ message: 'x' }), 'InvalidClient'),
  ]
}
