// Tokens of a service itself: each way to authenticate, client grants, quotas.
import assert from 'node:assert/strict'
import { claims } from './program.mjs'
import { basic, key, machine, post, test, tv } from './case.mjs'
import { API, BILLING, ODD_SECRET, ORGANIZED, SHORT, otherRsa, proofKey } from './tenant.mjs'

export function machines(pair) {
  const mtls = { client_id: 'mtls', authentication: { certificate: pair.certificate + pair.key } }
  const signed = ['RS256', 'RS384', 'PS256'].flatMap((algorithm) => [
    test(`private_key_jwt ${algorithm}`, key(`key-${algorithm}`, algorithm, { id: 'k1' }), machine(), 'tokens'),
    test(
      `private_key_jwt ${algorithm}, DPoP`,
      { ...key(`key-${algorithm}`, algorithm), dpop: proofKey },
      machine(),
      'tokens',
    ),
  ])
  const foreign = {
    client_id: 'key-RS256',
    authentication: { key: { pem: otherRsa.private, algorithm: 'RS256' } },
  }
  return [
    test('client_secret_post', post('machine'), machine(), 'tokens'),
    test('client_secret_basic', basic('machine', 's3cret'), machine(), 'tokens'),
    test(
      'client_secret_basic: an id and a secret that are encoded',
      basic('id+basic:1', ODD_SECRET),
      machine(),
      'tokens',
    ),
    test('client_secret_post: a secret that is encoded', post('id+basic:1', ODD_SECRET), machine(), 'tokens'),
    ...signed,
    test(
      'private_key_jwt: another algorithm than that of the key',
      key('key-RS256', 'PS256'),
      machine(),
      'InvalidClient',
    ),
    test('private_key_jwt: another key', foreign, machine(), 'InvalidClient'),
    test('private_key_jwt: another kid', key('key-RS256', 'RS256', { id: 'k2' }), machine(), 'InvalidClient'),
    test('private_key_jwt of a client with a secret', key('machine', 'RS256'), machine(), 'InvalidClient'),
    test('mTLS', mtls, machine(), 'tokens', {
      check: ({ tenant, theirs, result }) => {
        assert.equal(tenant.edge.requests, theirs.edge.requests)
        assert.ok(claims(result.tokens.access_token).cnf['x5t#S256'])
      },
    }),
    test('mTLS: a client with a secret', { ...mtls, client_id: 'machine' }, machine(), 'InvalidClient'),
    test('a wrong secret', post('machine', 'wrong'), machine(), 'InvalidClient'),
    test('a wrong secret, basic', basic('machine', 'wrong'), machine(), 'InvalidClient'),
    test('a client with a secret that sends a signature', post('key-RS256'), machine(), 'InvalidClient'),
    test('a client that is not registered', post('anyone', 'any'), machine({ scope: 'read:a' }), 'tokens'),
    test('a grant that the client does not have', post('plain'), machine(), 'InvalidClient'),
    test('an API without a client grant', post('machine'), machine({ audience: BILLING }), 'Denied'),
    test('an unknown API', post('legacy'), machine({ audience: 'https://unknown.test' }), 'Denied'),
    test('one scope of two', post('machine'), machine({ scope: 'read:a' }), 'tokens'),
    test('scopes in another order', post('machine'), machine({ scope: 'write:a read:a' }), 'tokens'),
    test('a scope that is not granted', post('machine'), machine({ scope: 'read:a delete:a' }), 'Denied'),
    test('a token of another profile', post('legacy'), machine({ audience: BILLING, scope: 'read:b' }), 'tokens'),
    test('a token of a minute', post('machine'), machine({ audience: SHORT }), 'tokens'),
    test('an organization', post('machine'), machine({ audience: ORGANIZED, organization: 'org_acme' }), 'tokens'),
    test(
      'no organization where one is required',
      post('machine'),
      machine({ audience: ORGANIZED }),
      'Misconfigured',
    ),
    test(
      'an organization where none is allowed',
      post('machine'),
      machine({ organization: 'org_acme' }),
      'Denied',
    ),
    test('a custom parameter', post('machine'), machine({ more: { reason: 'a&b=c ü' } }), 'tokens'),
    test('a resource', post('machine'), machine({ resource: BILLING }), 'tokens'),
    test('no secret', tv, machine(), 'mistake', { peer: false }),
    test('DPoP', { ...post('machine'), dpop: proofKey }, machine(), 'tokens'),
    test('a quota: the first', post('limited'), machine(), 'tokens'),
    test('a quota: the last', post('limited'), machine(), 'tokens'),
    test('a quota that is used up', post('limited'), machine(), 'Throttled', {
      check: ({ result }) => assert.ok(result.error.retry_after > 3500),
    }),
    test('a quota of an organization', post('legacy'), machine({ organization: 'org_small' }), 'tokens'),
    test(
      'a quota of an organization that is used up',
      post('legacy'),
      machine({ organization: 'org_small' }),
      'Throttled',
    ),
  ]
}
