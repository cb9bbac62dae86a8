// gRPC as a browser uses it: the official library for grpc-web, with an XMLHttpRequest for Node.js.
//
//     node grpc_web.mjs FORMAT CALLS
//
// FORMAT is text or binary, the two encodings of a body. CALLS is a JSON file with the calls of `grpc.json`, their tokens and the addresses of servers, as `.ci/grpc` writes it.
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import grpcWeb from 'grpc-web'
import XMLHttpRequest from 'xhr2'

globalThis.XMLHttpRequest = XMLHttpRequest

const [format, table] = process.argv.slice(2)
const calls = JSON.parse(readFileSync(table, 'utf8'))
const { GrpcWebClientBase, MethodDescriptor, MethodType } = grpcWeb

// The request of the health service is empty, and its response stays as it is.
class Message {}
const types = { Check: MethodType.UNARY, Watch: MethodType.SERVER_STREAMING }

// Makes a call. Returns its refusal, or undefined.
function refusal(client, { address, method, metadata }) {
  const path = `/grpc.health.v1.Health/${method}`
  const read = (bytes) => bytes
  const args = [path, types[method], Message, Message, () => new Uint8Array(), read]
  const call = [`http://${address}${path}`, new Message(), metadata, new MethodDescriptor(...args)]
  return new Promise((resolve) => {
    if (method === 'Check') return client.unaryCall(...call).then(() => resolve(), resolve)
    const stream = client.serverStreaming(...call)
    stream.on('error', resolve)
    stream.on('end', () => resolve())
  })
}

const client = new GrpcWebClientBase({ format })
for (const call of calls) {
  const error = await refusal(client, call)
  const seen = [error?.code ?? 0, error?.message ?? '']
  assert.deepEqual(seen, [call.status, call.description], call.cause)
  if (!error) continue
  const metadata = error.metadata
  assert.equal(metadata['error-code'], call.error_code, call.cause)
  // XMLHttpRequest joins the lines of a header.
  assert.equal(metadata['www-authenticate'] ?? '', call.challenges.join(', '), call.cause)
  assert.equal('retry-after' in metadata, call.status === 14, call.cause)
}
console.log(`grpc_web.mjs: ${calls.length} passed, as ${format}`)
