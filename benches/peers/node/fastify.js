// Prints its port; ends with its standard input, so that it does not outlive who started it.
import Fastify from 'fastify'
import verifyAuth0 from 'fastify-auth0-verify'

const { ISSUER, AUDIENCE } = process.env
const app = Fastify()
if (process.argv[2] === 'protected') {
  // A domain that begins with "http:" is taken as it stands, so an issuer on loopback needs no TLS.
  await app.register(verifyAuth0, { domain: ISSUER, audience: AUDIENCE })
  app.get('/', { preValidation: app.authenticate }, async (request, reply) => {
    reply.type('text/plain')
    return request.user.sub
  })
} else {
  app.get('/', async (_request, reply) => {
    reply.type('text/plain')
    return 'ok'
  })
}
await app.listen({ port: 0, host: '127.0.0.1' })
console.log(app.server.address().port)
process.stdin.on('end', () => process.exit()).resume()
