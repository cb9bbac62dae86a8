// Clients and cases of `tokens.mjs`: a client, a request, and what comes out: `tokens`, `done`, `mistake` (nothing
// was sent), or the kind of error. `request` may be made for each tenant.
import { proofKey, rsa, API } from './tenant.mjs'

export const post = (client_id, secret_post = 's3cret') => ({ client_id, authentication: { secret_post } })
export const basic = (client_id, secret_basic) => ({ client_id, authentication: { secret_basic } })
export const key = (client_id, algorithm, more) => ({
  client_id,
  authentication: { key: { pem: rsa.private, algorithm, ...more } },
})
export const tv = { client_id: 'tv', authentication: 'none' }
export const web = post('web')
export const bound = { ...web, dpop: proofKey }
export const machine = (of) => ({ machine: { audience: API, ...of } })

// The refresh token of a new login.
export const refresh = (more, login) => async (tenant) => ({
  refresh: { token: (await tenant.login(login?.user, login)).refresh_token, ...more },
})

export const test = (name, client, request, expected, more) => ({ name, client, request, expected, ...more })
