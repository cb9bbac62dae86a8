// Faults of the tenant.
import assert from 'node:assert/strict'
import { key, machine, post, refresh, test, web } from './case.mjs'
import { CALLBACK, proofKey } from './tenant.mjs'

export function faults() {
  const at = (name, fault, request, expected, more) =>
    test(`${name}: ${fault}`, web, request, expected, { faults: { [name]: fault }, ...more })
  const one = (fault, expected, more) =>
    test(`token: ${fault}`, { ...post('machine'), deadline: 3 }, machine(), expected, {
      faults: { token: fault },
      ...more,
    })
  const alone = { peer: false }
  return [
    ...['500', '503', 'html:502', 'empty:500'].map((fault) => one(fault, 'Unavailable')),
    one('500x1', 'tokens', alone),
    one('resetx1', 'tokens', alone),
    one('lostx1', 'tokens', alone),
    // An assertion and a proof are accepted once, so that the second request has others.
    ...['500x1', 'lostx1'].flatMap((fault) => [
      test(`private_key_jwt, token: ${fault}`, key('key-PS256', 'PS256'), machine(), 'tokens', {
        faults: { token: fault },
        ...alone,
      }),
      test(`DPoP, token: ${fault}`, { ...post('machine'), dpop: proofKey }, machine(), 'tokens', {
        faults: { token: fault },
        ...alone,
      }),
    ]),
    one('reset', 'Unavailable'),
    one('lost', 'Unavailable'),
    one('hang', 'DeadlineExceeded', alone),
    one('slow:0.2', 'tokens'),
    ...['garbage', 'wrong', 'empty', 'html', 'redirect'].map((fault) => one(fault, 'Malformed')),
    one('huge', 'Malformed', alone),
    one('404', 'Misconfigured'),
    one('403', 'Denied'),
    one('429:30', 'Throttled', { retryAfter: 30 }),
    one('throttled:30', 'Throttled', {
      check: ({ result }) => assert.ok(Math.abs(result.error.retry_after - 30) <= 5),
    }),
    one('policy:30', 'Throttled', { retryAfter: 30 }),
    one('quota:30', 'Throttled', { retryAfter: 30 }),
    one('organization-quota:30', 'Throttled', { retryAfter: 30 }),
    one('429:1x1', 'tokens', alone),
    at('token', '503', refresh(), 'Unavailable'),
    at('token', '503x1', refresh(), 'Unavailable', alone),
    at('token', 'lostx1', refresh(), 'Unavailable', alone),
    at('token', '429:30', refresh(), 'Throttled', { retryAfter: 30 }),
    at('revoke', '503', { revoke: { token: 'x' } }, 'Unavailable'),
    at('revoke', '429:9', { revoke: { token: 'x' } }, 'Throttled', { retryAfter: 9 }),
    at('par', 'throttled:9', { par: { redirect_uri: CALLBACK } }, 'Throttled'),
    at('par', 'garbage', { par: { redirect_uri: CALLBACK } }, 'Malformed'),
    at('par', 'html:503', { par: { redirect_uri: CALLBACK } }, 'Unavailable'),
    at('device', '503', { device: { scope: 'openid' } }, 'Unavailable'),
    at('device', 'empty', { device: { scope: 'openid' } }, 'Malformed'),
    at('backchannel', 'policy:9', { backchannel: { user: 'auth0|bob', message: 'x' } }, 'Throttled', {
      retryAfter: 9,
    }),
    at('backchannel', 'wrong', { backchannel: { user: 'auth0|bob', message: 'x' } }, 'Malformed'),
    at(
      'passwordless',
      '500',
      { passwordless_start: { connection: 'email', user: 'bob@acme.com' } },
      'Unavailable',
    ),
    at(
      'passwordless',
      '429:9',
      { passwordless_start: { connection: 'email', user: 'bob@acme.com' } },
      'Throttled',
      { retryAfter: 9 },
    ),
    at('metadata', '500', { revoke: { token: 'x' } }, 'Unavailable', alone),
    at('metadata', '500x1', { revoke: { token: 'x' } }, 'done', alone),
  ]
}
