// Runs programs for `tokens.mjs` and `provider_tokens.mjs`: `token-client`, and tenants.
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'

// Programs that go on end with this process.
const children = []
process.on('exit', () => children.forEach((child) => child.kill('SIGKILL')))
for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => process.exit(1))

// Ends the process after so many milliseconds.
export function limit(name, deadline) {
  setTimeout(() => {
    console.error(`${name} is not done after ${deadline / 1000} s`)
    process.exit(1)
  }, deadline).unref()
}

// No variable of a tenant reaches a program.
function environment() {
  const all = Object.entries(process.env)
  return { ...Object.fromEntries(all.filter(([name]) => !name.startsWith('AUTH0_'))), NO_COLOR: '1' }
}

// Starts a program that prints this text, and what follows it is its URL.
export async function serve(program, options, until) {
  const stdio = ['ignore', 'pipe', 'inherit']
  const child = spawn(program, options, { env: environment(), stdio })
  children.push(child)
  const lines = createInterface({ input: child.stdout })
  return new Promise((resolve, reject) => {
    const read = []
    lines.on('line', (line) => {
      read.push(line)
      if (line.startsWith(until)) resolve(line.slice(until.length))
    })
    lines.on('close', () => reject(new Error(`${program} ended early:\n${read.join('\n')}`)))
  })
}

// Sends a request with `token-client`. `onStarted` is called with what the program prints before its result, and
// returns what the user enters.
export async function send(program, description, onStarted = () => undefined) {
  const child = spawn(program, { env: environment(), stdio: ['pipe', 'pipe', 'inherit'] })
  children.push(child)
  const ended = once(child, 'exit')
  child.stdin.write(`${JSON.stringify(description)}\n`)
  const started = []
  let result
  for await (const line of createInterface({ input: child.stdout })) {
    result = JSON.parse(line)
    if (result.started === undefined) continue
    started.push(result.started)
    const entered = await onStarted(result.started)
    if (entered !== undefined) child.stdin.write(`${entered}\n`)
  }
  child.stdin.end()
  assert.deepEqual(await ended, [0, null], `of ${JSON.stringify(description.request)}`)
  children.splice(children.indexOf(child), 1)
  return { started, result }
}

// A certificate that signs itself, with its private key, both in PEM.
export async function certificate(program) {
  const child = spawn(program, ['certificate'], { env: environment(), stdio: ['ignore', 'pipe', 'inherit'] })
  const [lines, ended] = [createInterface({ input: child.stdout }), once(child, 'exit')]
  let result
  for await (const line of lines) result = JSON.parse(line)
  assert.deepEqual(await ended, [0, null])
  return result
}

// The claims of a JWT, and `undefined` of any other token.
export function claims(token) {
  const parts = token.split('.')
  if (parts.length !== 3) return undefined
  return JSON.parse(Buffer.from(parts[1], 'base64url'))
}
