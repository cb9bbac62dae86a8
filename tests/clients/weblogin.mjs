// Users log in to both examples of login with a real browser: at the tenant inside them, and at an independent provider,
// oidc-provider, by configuration alone.
//
//     node weblogin.mjs CHROMIUM SCREENSHOTS PROGRAM...
//
// CHROMIUM is the program of that name, SCREENSHOTS a folder, and each PROGRAM an example of login, which this script starts
// and ends. `.ci/clients` names them.
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { generateKeyPairSync } from 'node:crypto'
import { once } from 'node:events'
import { createServer } from 'node:http'
import { basename, join } from 'node:path'
import { createInterface } from 'node:readline'
import { setTimeout as delay } from 'node:timers/promises'
import Provider from 'oidc-provider'
import puppeteer from 'puppeteer-core'

const [chromium, screenshots, ...programs] = process.argv.slice(2)
assert.ok(programs.length > 0, 'usage: node weblogin.mjs CHROMIUM SCREENSHOTS PROGRAM...')

// All of it takes half a minute.
const DEADLINE = 240_000
const AUDIENCE = 'https://billing.test'

let checks = 0
function passed(what) {
  checks += 1
  console.log(`ok ${what}`)
}

// The programs end with this script. By SIGKILL: actix-web waits for open connections.
const children = []
process.on('exit', () => children.forEach((child) => child.kill('SIGKILL')))
for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => process.exit(1))
setTimeout(() => {
  console.error(`weblogin.mjs is not done after ${DEADLINE / 1000} s`)
  process.exit(1)
}, DEADLINE).unref()

// Starts a program, and returns its URL for a browser.
async function start(program, variables) {
  const known = Object.entries(process.env).filter(([name]) => !/^(AUTH0_|APP_|REDIS_|SESSION_)/.test(name))
  const env = { ...Object.fromEntries(known), PORT: '0', NO_COLOR: '1', RUST_LOG: 'warn', ...variables }
  const child = spawn(program, [], { env, stdio: ['ignore', 'pipe', 'inherit'] })
  children.push(child)
  await once(child, 'spawn')
  const log = []
  const lines = createInterface({ input: child.stdout })
  return new Promise((resolve, reject) => {
    lines.on('line', (line) => {
      log.push(line)
      const found = line.match(/^listening on http:\/\/.*:(\d+)$/)
      if (found) resolve(`http://localhost:${found[1]}`)
    })
    lines.on('close', () => reject(new Error(`${program} ended early:\n${log.join('\n')}`)))
  })
}

// Without the pages that it keeps: "back" sends a request, and puppeteer does not always see that a page was kept.
const args = ['--no-sandbox', '--disable-features=BackForwardCache']
const browser = await puppeteer.launch({ executablePath: chromium, args })

// A browser without cookies.
async function person(site) {
  const context = await browser.createBrowserContext()
  const open = async (path = '/') => {
    const page = await context.newPage()
    await page.setViewport({ width: 900, height: 640 })
    await page.goto(site + path)
    return page
  }
  const cookies = async () => (await context.cookies()).filter(({ name }) => name.startsWith('a0_'))
  return { context, open, cookies }
}

async function text(page) {
  return page.$eval('main, body', (element) => element.innerText)
}

async function press(page, selector) {
  await page.bringToFront()
  await Promise.all([page.waitForNavigation(), page.click(selector)])
}

// Chooses a user at the tenant inside the example.
async function choose(page, user) {
  await press(page, `button[value="${user}"]`)
}

// Goes one step back. `goBack` waits for events of the browser, of which it misses one if another process takes over.
async function back(page) {
  const { currentIndex, entries } = await history(page)
  const { id } = entries[currentIndex - 1]
  await devtools(page, 'Page.navigateToHistoryEntry', { entryId: id })
  while ((await history(page))?.currentIndex !== currentIndex - 1) await delay(20)
  await page.waitForFunction(() => document.readyState === 'complete')
}

// Returns the history of a page, or nothing while another process takes over.
async function history(page) {
  return devtools(page, 'Page.getNavigationHistory').catch(() => undefined)
}

async function devtools(page, method, parameters) {
  const session = await page.createCDPSession()
  return session.send(method, parameters).finally(() => session.detach().catch(() => {}))
}

function at(page, site) {
  return page.url().startsWith(site) ? page.url().slice(site.length) : page.url()
}

async function withTenantInside(program, variables) {
  const name = `${basename(program)}${variables.SESSION_STORE ? ' with a store' : ''}`
  const site = await start(program, variables)

  const ann = await person(site)
  const page = await ann.open('/')
  assert.match(await text(page), /Log in to see yours/)
  await page.screenshot({ path: join(screenshots, `${name} home.png`) })
  await press(page, 'a[href="/auth/login"]')
  await choose(page, 'auth0|ann')
  assert.equal(at(page, site), '/')
  assert.match(await text(page), /auth0\|ann/)
  await page.screenshot({ path: join(screenshots, `${name} signed in.png`) })
  const [session, ...others] = await ann.cookies()
  assert.deepEqual([session.name, others.length], ['a0_session', 0])
  assert.deepEqual([session.httpOnly, session.sameSite, session.path], [true, 'Lax', '/'])
  assert.equal(await page.evaluate(() => document.cookie), '', 'no script reads it')
  passed(`${name}: a login, and one cookie as a browser stores it`)

  await page.goto(`${site}/invoices`)
  assert.match(await text(page), /Subscription, November/)
  await page.screenshot({ path: join(screenshots, `${name} invoices.png`) })
  await page.goto(`${site}/me`)
  assert.match(await text(page), /ann@acme.com/)
  await page.goto(`${site}/admin`)
  assert.match(await text(page), /Only users with the role/)
  passed(`${name}: profile, invoices of the API, and the page of the role`)

  const stepped = await page.goto(`${site}/security`)
  assert.equal(stepped.status(), 200)
  assert.match(await text(page), /Another factor is needed/)
  await choose(page, 'auth0|ann')
  assert.equal(at(page, site), '/security')
  assert.match(await text(page), /You have passed one/)
  passed(`${name}: a page that needs another factor sends the browser there and back`)

  const bob = await person(site)
  const guarded = await bob.open('/admin')
  assert.match(at(guarded, site), /\/authorize\?/)
  await choose(guarded, 'auth0|bob')
  assert.equal(at(guarded, site), '/admin')
  assert.match(await text(guarded), /Not allowed/)
  await guarded.screenshot({ path: join(screenshots, `${name} forbidden.png`) })
  await page.goto(site)
  assert.match(await text(page), /auth0\|ann/, 'two browsers, two users')
  passed(`${name}: a user without the role, in another browser`)

  const tabs = await person(site)
  const first = await tabs.open('/me')
  const second = await tabs.open('/invoices')
  await choose(second, 'auth0|bob')
  assert.equal(at(second, site), '/invoices')
  await choose(first, 'auth0|bob')
  assert.equal(at(first, site), '/me')
  assert.equal((await tabs.cookies()).length, 1)
  passed(`${name}: two tabs log in at once`)

  await first.goto(site)
  await back(first)
  await back(first)
  await first.goto(`${site}/me`)
  assert.match(await text(first), /bob@acme.com/)
  const used = await tabs.open('/')
  await used.goto(`${site}/auth/login`)
  await back(used)
  assert.match(await text(used), /auth0\|bob/)
  passed(`${name}: the button "back" loses no session`)

  const expired = await person(site)
  const late = await expired.open('/auth/login?returnTo=/me')
  await choose(late, 'auth0|ann')
  await expired.context.setCookie({ ...(await expired.cookies())[0], expires: 1 })
  const script = await late.evaluate(async () => {
    const answer = await fetch('/me')
    return [answer.status, (await answer.json()).error, answer.redirected]
  })
  assert.deepEqual(script, [401, 'login_required', false])
  await late.goto(`${site}/invoices`)
  // The tenant still knows her.
  assert.equal(at(late, site), '/invoices')
  assert.match(await text(late), /Subscription/)
  passed(`${name}: an expired session is 401 for a script, and a login for a page`)

  await press(late, 'header form button')
  assert.equal(at(late, site), '/')
  assert.match(await text(late), /Log in to see yours/)
  assert.deepEqual(await expired.cookies(), [])
  await late.goto(`${site}/me`)
  assert.match(at(late, site), /\/authorize\?/, 'the session at the tenant has ended, too')
  passed(`${name}: a logout ends both sessions`)

  const denied = await person(site)
  const no = await denied.open('/me')
  const buttons = await no.$$('form:last-of-type button')
  await Promise.all([no.waitForNavigation(), buttons[0].click()])
  assert.match(await text(no), /The login was refused/)
  assert.deepEqual(await denied.cookies(), [])
  await no.screenshot({ path: join(screenshots, `${name} refused.png`) })
  passed(`${name}: a login that the user refuses`)
}

function newProvider(issuer, site) {
  const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 })
  const key = { ...privateKey.export({ format: 'jwk' }), use: 'sig', alg: 'RS256' }
  const provider = new Provider(issuer, {
    jwks: { keys: [key] },
    // By default it reaches no loopback address.
    fetch: (url, { dispatcher, ...options }) => fetch(url, options),
    clients: [
      {
        client_id: 'web',
        client_secret: 'any',
        token_endpoint_auth_method: 'client_secret_post',
        grant_types: ['authorization_code', 'refresh_token'],
        redirect_uris: [`${site}/auth/callback`],
        post_logout_redirect_uris: [`${site}/`],
        backchannel_logout_uri: `${site}/auth/backchannel-logout`,
        backchannel_logout_session_required: true,
      },
    ],
    claims: { openid: ['sub', 'https://acme.com/roles'], email: ['email'], profile: ['name'] },
    conformIdTokenClaims: false,
    // oidc-provider issues a refresh token with offline_access and prompt=consent; this is so for every client.
    issueRefreshToken: async (_, client) => client.grantTypeAllowed('refresh_token'),
    findAccount: async (_, id) => ({
      accountId: id,
      claims: async () => ({ sub: id, name: `Name of ${id}`, email: `${id}@acme.com`, 'https://acme.com/roles': ['admin'] }),
    }),
    features: {
      backchannelLogout: { enabled: true },
      devInteractions: { enabled: true },
      rpInitiatedLogout: { enabled: true },
      resourceIndicators: {
        enabled: true,
        defaultResource: async () => AUDIENCE,
        useGrantedResource: async () => true,
        getResourceServerInfo: async () => ({
          scope: 'read:invoices',
          audience: AUDIENCE,
          accessTokenFormat: 'jwt',
          accessTokenTTL: 600,
          jwt: { sign: { alg: 'RS256' } },
        }),
      },
    },
  })
  provider.on('server_error', (_, error) => console.error(error))
  return provider
}

async function freePort() {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address()
  server.close()
  await once(server, 'close')
  return port
}

async function withIndependentProvider(program) {
  const name = `${basename(program)} with oidc-provider`
  const [port, own] = [await freePort(), await freePort()]
  const [site, issuer] = [`http://localhost:${port}`, `http://127.0.0.1:${own}`]
  const provider = newProvider(issuer, site)
  const server = createServer(provider.callback()).listen(own, '127.0.0.1')
  await once(server, 'listening')
  await start(program, {
    PORT: String(port),
    AUTH0_ISSUER: issuer,
    AUTH0_CLIENT_ID: 'web',
    AUTH0_CLIENT_SECRET: 'any',
    AUTH0_SECRET: '0123456789abcdef0123456789abcdef',
    AUTH0_LOGIN_AUDIENCE: AUDIENCE,
    AUTH0_SCOPE: 'openid profile email offline_access',
    APP_BASE_URL: site,
  })

  const ann = await person(site)
  const page = await ann.open('/me')
  await page.type('input[name="login"]', 'ann')
  await page.type('input[name="password"]', 'any')
  await press(page, 'button[type="submit"]')
  while (!page.url().startsWith(site)) await press(page, 'button[type="submit"]')
  assert.equal(at(page, site), '/me')
  assert.match(await text(page), /ann/)
  await page.goto(`${site}/invoices`)
  assert.match(await text(page), /Subscription, November/)
  passed(`${name}: a user logs in, and the API accepts their token`)

  // Its logout page asks; the session here has ended before.
  await press(page, 'header form button')
  if (!page.url().startsWith(site)) await press(page, 'button[name="logout"], button[type="submit"]')
  await page.goto(site)
  assert.match(await text(page), /Log in to see yours/)
  passed(`${name}: logout`)
  server.close()
}

for (const program of programs) {
  await withTenantInside(program, {})
  await withTenantInside(program, { SESSION_STORE: 'memory' })
  await withIndependentProvider(program)
}
await browser.close()
console.log(`weblogin.mjs: ${checks} checks passed`)
process.exit(0)
