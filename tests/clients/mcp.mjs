// An MCP server as an independent client uses it that knows only its URL: the official SDK for TypeScript.
//
//     node mcp.mjs SERVER...
//
// Each SERVER is the URL of an example, with a tenant of its own. `.ci/clients` starts them.
import assert from 'node:assert/strict'
import { UnauthorizedError } from '@modelcontextprotocol/sdk/client/auth.js'
import { Client } from '@modelcontextprotocol/sdk/client/index.js'
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js'

const servers = process.argv.slice(2)
assert.ok(servers.length > 0, 'usage: node mcp.mjs SERVER...')

// Does what a browser does, up to the redirect to the client.
class Login {
  redirectUrl = 'http://127.0.0.1:1/callback'
  clientMetadata = { client_name: 'independent', redirect_uris: [this.redirectUrl] }
  codes = []
  asked = []
  clientInformation() {
    return { client_id: 'independent' }
  }
  tokens() {
    return this.saved
  }
  saveTokens(tokens) {
    this.saved = tokens
  }
  codeVerifier() {
    return this.verifier
  }
  saveCodeVerifier(verifier) {
    this.verifier = verifier
  }
  async redirectToAuthorization(url) {
    this.asked.push(Object.fromEntries(url.searchParams))
    const answer = await fetch(url, { redirect: 'manual' })
    assert.equal(answer.status, 302)
    this.codes.push(new URL(answer.headers.get('location')).searchParams.get('code'))
  }
}

async function connect(server, login) {
  const transport = new StreamableHTTPClientTransport(new URL(server), { authProvider: login })
  const client = new Client({ name: 'independent', version: '1' })
  await client.connect(transport)
  return { client, transport }
}

async function finish(server, login) {
  await new StreamableHTTPClientTransport(new URL(server), { authProvider: login }).finishAuth(login.codes.at(-1))
}

for (const server of servers) {
  const login = new Login()
  await assert.rejects(connect(server, login), UnauthorizedError)
  assert.equal(login.asked[0].resource, server)
  assert.equal(login.asked[0].scope, 'mcp:read')
  await finish(server, login)

  const { client } = await connect(server, login)
  const tools = (await client.listTools()).tools.map((tool) => tool.name).sort()
  assert.deepEqual(tools, ['purge', 'whoami'])
  const whoami = await client.callTool({ name: 'whoami' })
  assert.match(whoami.content[0].text, /^auth0\|/)

  // The SDK asks for more scopes by itself, and then needs the code of the redirect.
  await assert.rejects(client.callTool({ name: 'purge' }), UnauthorizedError)
  assert.deepEqual(login.asked[1].scope.split(' ').sort(), ['mcp:purge', 'mcp:read'])
  await finish(server, login)
  const again = await connect(server, login)
  const purged = await again.client.callTool({ name: 'purge' })
  assert.equal(purged.content[0].text, 'purged')
  await again.client.close()
  await client.close()
  console.log(`ok ${server}: 401, login, whoami, 403, step-up, purge`)
}
