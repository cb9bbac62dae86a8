// Prints its port; ends with its standard input, so that it does not outlive who started it.
import express from 'express'
import { auth } from 'express-oauth2-jwt-bearer'

const { ISSUER, AUDIENCE } = process.env
const app = express()
if (process.argv[2] === 'protected') {
  const protect = auth({ issuerBaseURL: ISSUER, audience: AUDIENCE })
  app.get('/', protect, (request, response) => response.type('text').send(request.auth.payload.sub))
} else {
  app.get('/', (_request, response) => response.type('text').send('ok'))
}
// The default one prints a stack for each refusal.
app.use((error, _request, response, _next) => response.status(error.status ?? 500).end())
const server = app.listen(0, '127.0.0.1', () => console.log(server.address().port))
process.stdin.on('end', () => process.exit()).resume()
