// The same requests by two clients get the same answers of auth0-local: oauth4webapi, and `auth0-client`.
//
//     node tokens.mjs AUTH0_LOCAL TOKEN_CLIENT
//
// Both are programs, which this script starts and ends. Each client has a tenant of its own. `.ci/clients` names both.
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { delegation, exchanges, unrotated, vault } from './tokens/exchanges.mjs'
import { faults } from './tokens/faults.mjs'
import { machines } from './tokens/machines.mjs'
import { properties } from './tokens/peer.mjs'
import { certificate, limit, send } from './tokens/program.mjs'
import { devices, pushes } from './tokens/requests.mjs'
import { Tenant } from './tokens/tenant.mjs'
import { nonces, users } from './tokens/users.mjs'

const [local, program] = process.argv.slice(2)
assert.ok(program, 'usage: node tokens.mjs AUTH0_LOCAL TOKEN_CLIENT')
limit('tokens.mjs', 300_000)

const folder = mkdtempSync(join(tmpdir(), 'tokens-'))
process.on('exit', () => rmSync(folder, { recursive: true, force: true }))

// Tenants with these options, and their cases.
const groups = [
  { tests: (pair) => [machines(pair), delegation(), exchanges(), vault(), users(), pushes(), faults()].flat() },
  { options: ['--dpop-nonce'], tests: nonces },
  { options: ['--no-rotation'], tests: unrotated },
  { areConcurrent: true, tests: devices },
]

const pair = await certificate(program)
let checks = 0
const failures = []

// What the program prints, as the peer has it.
function ofProgram({ tokens, error, ...other }, issuer) {
  if (tokens !== undefined) return { tokens: properties(tokens, issuer) }
  if (error === undefined) return other
  const { status, code, description } = error
  return { error: refused({ status, code, description }, issuer) }
}

function ofPeer({ tokens, error, ...other }, issuer) {
  if (tokens !== undefined) return { tokens: properties(tokens, issuer) }
  return error === undefined ? other : { error: refused(error, issuer) }
}

function refused({ status, code, description }, issuer) {
  const text = description?.replaceAll(issuer, 'ISSUER/').slice(0, 1000)
  return { status: status ?? undefined, code: code ?? undefined, description: text }
}

// Without members that are undefined.
const plain = (value) => JSON.parse(JSON.stringify(value))

// `done` has random members.
const withoutDone = ({ done, ...other }) => (done === undefined ? other : { done: true })

// Returns the description of a case at one tenant.
async function described(tenant, { client, request, api }) {
  const own = typeof request === 'function' ? await request(tenant) : request
  const { client_id, ...more } = client
  return { client: { issuer: tenant.issuer, client_id, ...more }, request: own, api: api?.(tenant) }
}

async function compare([ours, theirs], test) {
  const at = async (tenant, ask) => {
    const description = await described(tenant, test)
    if (test.faults !== undefined) await tenant.fault(test.faults)
    const decide = test.decide && ((started) => test.decide(tenant, started))
    return ask(description, decide)
  }
  const [{ result, started }, answer] = await Promise.all([
    at(ours, (description, decide) => send(program, description, decide)),
    test.peer === false ? undefined : at(theirs, (description, decide) => theirs.peer.send(description, decide)),
  ])
  const kind = result.error?.kind ?? ['tokens', 'done', 'mistake'].find((name) => name in result)
  const text = JSON.stringify(result)
  assert.equal(kind, test.expected, text)
  if (test.retryAfter !== undefined) assert.equal(result.error.retry_after, test.retryAfter)
  if (answer !== undefined) {
    const [own, other] = [ofProgram(result, ours.issuer), ofPeer(answer, theirs.issuer)].map(plain)
    // A source of tokens has one token only, and not its type.
    if (result.tokens !== undefined && !('issued_token_type' in result.tokens))
      delete other.tokens?.issued_token_type
    const life = [own, other].map((of) => of.tokens?.expires_in)
    for (const of of [own, other]) delete of.tokens?.expires_in
    assert.deepEqual(withoutDone(own), withoutDone(other))
    assert.ok(life[0] === life[1] || Math.abs(life[0] - life[1]) <= 5, `expires_in: ${life}`)
  }
  const seen = { result, answer, started, tenant: ours, theirs }
  await test.check?.(seen)
}

async function run(tenants, test) {
  try {
    await compare(tenants, test)
    checks += 1
    console.log(`ok ${test.name}`)
  } catch (error) {
    failures.push(test.name)
    console.log(`FAILED ${test.name}: ${error.message}`)
  } finally {
    if (test.faults !== undefined) await Promise.all(tenants.map((tenant) => tenant.clear()))
  }
}

for (const { options, tests, areConcurrent } of groups) {
  const start = (name) => Tenant.start(local, folder, name, pair.certificate, options)
  const tenants = await Promise.all([start('ours'), start('theirs')])
  const all = tests(pair)
  if (areConcurrent) {
    // Each waits for an interval between polls.
    await Promise.all(all.map((test) => run(tenants, test)))
    continue
  }
  for (const test of all) await run(tenants, test)
}

if (failures.length > 0) {
  console.error(`tokens.mjs: ${failures.length} failed:\n${failures.join('\n')}`)
  process.exit(1)
}
console.log(`tokens.mjs: ${checks} passed`)
process.exit(0)
