// The page of auth0-local in a real browser: mints, copies, inspects, rotates, sets faults, blocks, logs out, and looks at
// the last requests, with scripts and without them.
//
//     node page.mjs CHROMIUM AUTH0_LOCAL
//
// CHROMIUM is the program of that name, and AUTH0_LOCAL the one of that name, which this script starts and ends. With
// SCREENSHOT=FILE, it writes the picture of the README, which is made of fixed sizes. `.ci/clients` names the programs.
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import puppeteer from 'puppeteer-core'

const [chromium, program] = process.argv.slice(2)
assert.ok(program, 'usage: node page.mjs CHROMIUM AUTH0_LOCAL')

// All of it takes some seconds.
const DEADLINE = 120_000
const MAX_SCREENSHOT = 150 * 1024
const SECRET = 's3cret-of-the-web-client'
// A name that would be a script, a link and a change of the direction of writing.
const NAME = 'Bob</td><script>window.broken = 1</script><img src=x onerror="window.broken = 1">\u202egpj'

let checks = 0
function passed(what) {
  checks += 1
  console.log(`ok ${what}`)
}

const folder = mkdtempSync(join(tmpdir(), 'auth0-page-'))
const children = []
process.on('exit', () => {
  children.forEach((child) => child.kill('SIGKILL'))
  rmSync(folder, { recursive: true, force: true })
})
for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => process.exit(1))
setTimeout(() => {
  console.error(`page.mjs is not done after ${DEADLINE / 1000} s`)
  process.exit(1)
}, DEADLINE).unref()

async function serve() {
  const file = join(folder, 'tenant.json')
  const tenant = {
    users: [
      { user_id: 'auth0|ann', name: 'Ann', email: 'ann@acme.com', permissions: ['messages:purge'] },
      { user_id: 'auth0|bob', name: NAME },
    ],
    clients: [{ client_id: 'web', client_secret: SECRET, callbacks: ['http://localhost:3000/auth/callback'] }],
    apis: [{ identifier: 'https://billing.acme.test', scopes: ['read:invoices'] }],
  }
  writeFileSync(file, JSON.stringify(tenant))
  const known = Object.entries(process.env).filter(([name]) => !/^(AUTH0_|HOST$|PORT$)/.test(name))
  const options = { env: Object.fromEntries(known), stdio: ['ignore', 'pipe', 'inherit'] }
  const child = spawn(program, ['serve', '--port', process.env.SCREENSHOT ? '4400' : '0', '--tenant', file], options)
  children.push(child)
  await once(child, 'spawn')
  for await (const line of createInterface({ input: child.stdout })) {
    if (line.startsWith('AUTH0_ISSUER=')) return line.slice('AUTH0_ISSUER='.length)
  }
  throw new Error('auth0-local ended early')
}

const issuer = await serve()
const browser = await puppeteer.launch({ executablePath: chromium, args: ['--no-sandbox'] })

// What the browser reports about a page: anything that its policy blocks, and every address that it requests.
function watch(page) {
  const seen = { errors: [], addresses: new Set() }
  // A form that is refused is no error of the page.
  page.on('console', (message) => /status of 400/.test(message.text()) || seen.errors.push(message.text()))
  page.on('pageerror', (error) => seen.errors.push(String(error)))
  page.on('request', (request) => seen.addresses.add(request.url()))
  return seen
}

async function open(hasScripts) {
  const page = await browser.newPage()
  await page.setJavaScriptEnabled(hasScripts)
  await page.setViewport({ width: 1180, height: 900 })
  const seen = watch(page)
  await page.goto(issuer)
  return { page, seen }
}

async function press(page, form, action) {
  const button = `${form} button[value="${action}"]`
  await Promise.all([page.waitForNavigation(), page.click(button)])
}

async function fill(page, selector, value) {
  await page.$eval(selector, (field, text) => { field.value = text }, value)
}

const content = (page, selector) => page.$eval(selector, (element) => element.innerText)
const value = (page, selector) => page.$eval(selector, (element) => element.value)
const row = (page, check) => content(page, `#report tr[data-check="${check}"]`)

// Polls from here: the policy of the page would block the polling of puppeteer.
async function until(isTrue) {
  while (!(await isTrue())) await new Promise((resolve) => setTimeout(resolve, 20))
}

const request = (path, options) => fetch(issuer + path, { redirect: 'manual', ...options })
const form = (fields) => ({ method: 'POST', body: new URLSearchParams(fields) })

const { page, seen } = await open(true)
const body = await content(page, 'body')
assert.match(body, /auth0\|ann/)
assert.ok(body.includes('onerror="window.broken = 1">\\u{202e}gpj'), 'the name of a user is text')
assert.match(body, /https:\/\/billing\.acme\.test/)
assert.ok(!(await page.content()).includes(SECRET))
assert.equal(await page.evaluate(() => window.broken), undefined)
const unlabelled = await page.$$eval('input:not([type=hidden]), select, textarea', (fields) =>
  fields.filter((field) => field.labels.length === 0).map((field) => field.outerHTML),
)
assert.deepEqual(unlabelled, [], 'every field has a label')
passed('the page says what the tenant is, and shows no secret')

await fill(page, '#token [name=scope]', 'read:messages')
await press(page, '#token', 'token')
const token = await value(page, '#minted-token')
assert.equal(token.split('.').length, 3)
assert.equal(await value(page, '#token [name=scope]'), 'read:messages', 'the form keeps what was entered')
const send = await value(page, '#minted-send')
assert.ok(send.startsWith(`curl -i -H 'Authorization: Bearer ${token}' `), send)
passed('a token is minted, with its line for curl')

await browser.defaultBrowserContext().overridePermissions(new URL(issuer).origin, ['clipboard-read', 'clipboard-sanitized-write'])
await page.bringToFront()
await page.click('button[data-copy="minted-token"]')
await until(async () => (await content(page, 'button[data-copy]')) === 'Copied')
assert.equal(await page.evaluate(() => navigator.clipboard.readText()), token)
const shell = spawn('sh', ['-c', await value(page, '#minted-again')], { stdio: ['ignore', 'pipe', 'inherit'] })
const minted = (await shell.stdout.toArray()).join('')
assert.match(minted, /^eyJ[^.]+\.[^.]+\.[^.]+$/)
passed('a button copies it, and the line for a shell mints another one')

await press(page, '#token .result', 'inspect')
assert.match(await content(page, '#report'), /Accepted as an access token: every check passes/)
for (const check of ['signature', 'audience', 'expiry']) assert.match(await row(page, check), /^pass/)
passed('the token that was minted is inspected')

await fill(page, '#inspect [name=pasted]', `Bearer ${token.slice(0, -4)}AAAA`)
await fill(page, '#inspect [name=requirement]', 'all_of[scope("write:messages"), user()]')
await press(page, '#inspect', 'inspect')
assert.match(await row(page, 'signature'), /^FAIL/)
assert.match(await row(page, 'requirement'), /FAIL[^]*insufficient_scope[^]*"write:messages" is missing/)
assert.match(await content(page, '#report'), /Refused as an access token: 401 signature_invalid/)
assert.match(await value(page, '#inspect [name=pasted]'), /^Bearer eyJ/)
passed('a pasted token that is wrong has its failed checks in the table')

await fill(page, '#inspect [name=pasted]', '<script>window.broken = 1</script>')
await fill(page, '#inspect [name=requirement]', '')
await press(page, '#inspect', 'inspect')
assert.match(await content(page, '#inspect .notice'), /not a token that can be read/)
await fill(page, '#inspect [name=pasted]', token)
await fill(page, '#inspect [name=requirement]', '"><script>window.broken = 1</script>')
await press(page, '#inspect', 'inspect')
assert.match(await content(page, 'main > .notice'), /the requirement cannot be read/)
assert.equal(await page.evaluate(() => window.broken), undefined)
passed('what is no token, and no requirement, is said and is no script')

await fill(page, '#proof [name=url]', 'http://127.0.0.1:3000/api/private?page=2')
await fill(page, '#proof [name=token]', token)
await press(page, '#proof', 'proof')
const proof = await value(page, '#minted-proof')
await fill(page, '#inspect [name=pasted]', proof)
await fill(page, '#inspect [name=method]', 'POST')
await press(page, '#inspect', 'inspect')
assert.match(await row(page, 'method'), /^FAIL/)
assert.match(await row(page, 'signature'), /^pass/)
passed('a proof is minted and inspected')

await page.click('#token [name=bound]')
await press(page, '#token', 'token')
assert.match(await value(page, '#minted-send'), /^curl -i -H 'Authorization: DPoP eyJ[^]+ -H 'DPoP: eyJ/)
passed('a bound token comes with a proof')

const keys = () => page.$$eval('#keys li', (items) => items.map((item) => item.innerText))
const before = await keys()
await press(page, '#drills', 'rotate')
const after = await keys()
assert.deepEqual([before.length, after.length], [1, 2])
assert.ok(after[0].endsWith('signs') && !after[0].startsWith(before[0].split(' ')[0]))
const published = await (await request('.well-known/jwks.json')).json()
assert.deepEqual(published.keys.map(({ kid }) => kid), after.map((line) => line.split(' ')[0]))
await press(page, '#drills', 'withdraw')
assert.equal((await keys()).length, 1)
passed('the key rotates, and the old one is withdrawn')

await page.select('#drills [name=endpoint]', 'jwks')
await fill(page, '#drills [name=fault]', '503')
await press(page, '#drills', 'fault')
assert.match(await content(page, 'main > .notice'), /jwks=503/)
assert.equal((await request('.well-known/jwks.json')).status, 503)
await fill(page, '#drills [name=fault]', 'lazy')
await press(page, '#drills', 'fault')
assert.match(await content(page, 'main > .notice.fail'), /"lazy" is not a fault/)
await press(page, '#drills', 'clear-faults')
assert.equal((await request('.well-known/jwks.json')).status, 200)
passed('a fault is set and cleared')

const bob = 'form:has(input[value="auth0|bob"])'
await press(page, bob, 'block')
assert.match(await content(page, 'main > .notice'), /auth0\|bob is blocked/)
await press(page, bob, 'unblock')
await press(page, bob, 'logout')
assert.match(await content(page, 'main > .notice'), /auth0\|bob is logged out/)
passed('a user is blocked, unblocked and logged out')

const web = { client_id: 'web', audience: 'https://billing.acme.test', scope: 'read:invoices' }
await request('oauth/token', form({ grant_type: 'client_credentials', client_secret: 'wrong-secret', ...web }))
await request('oauth/token', form({ grant_type: 'client_credentials', client_secret: SECRET, ...web }))
const callback = 'http://localhost:3000/auth/callback'
await request(`authorize?${new URLSearchParams({ response_type: 'code', redirect_uri: callback, state: 'st4te', ...web })}`)
await request(`${token}/x?code=c0de&client_id=spa`)
await page.goto(issuer)
const requests = await content(page, '#requests')
assert.match(requests, /POST \/oauth\/token[^]*grant_type=client_credentials client_id=web[^]*401 access_denied/)
assert.match(requests, /GET \/authorize[^]*client_id=web[^]*302/)
assert.match(requests, /GET \/…\/x[^]*client_id=spa[^]*404 not_found/)
for (const secret of [SECRET, 'wrong-secret', 'st4te', 'c0de', 'eyJ', '127.0.0.1:3000']) {
  assert.ok(!requests.includes(secret), `${secret}\n${requests}`)
}
passed('the last requests and their answers are listed, without secrets')

// The keyboard reaches the first field and the buttons in the order of the page.
const reached = []
for (let count = 0; count < 24; count += 1) {
  await page.keyboard.press('Tab')
  reached.push(await page.evaluate(() => document.activeElement.name || document.activeElement.hash || ''))
}
assert.deepEqual(reached.slice(0, 7), ['#token', '#inspect', '#proof', '#requests', '#drills', '#tenant', 'audience'])
assert.ok(reached.includes('action'), String(reached))
await page.focus('#token [name=audience]')
await Promise.all([page.waitForNavigation(), page.keyboard.press('Enter')])
assert.match(await value(page, '#minted-token'), /^eyJ/)
passed('the page is used by keyboard')

assert.deepEqual(seen.errors, [], 'the policy of the page blocks nothing of its own')
const foreign = [...seen.addresses].filter((address) => !address.startsWith(issuer) && !address.startsWith('data:'))
assert.deepEqual(foreign, [], 'nothing is loaded from elsewhere')
assert.deepEqual(await page.evaluate(() => document.cookie), '')

// A page of another origin on this machine: the browser says where its form comes from.
const other = await browser.newPage()
await other.goto('about:blank')
await other.setContent(
  `<form method="post" action="${issuer}"><button name="action" value="rotate">x</button></form><iframe src="${issuer}"></iframe>`,
)
const [answer] = await Promise.all([other.waitForNavigation(), other.click('button')])
assert.equal(answer.status(), 403)
passed('a form of another page is refused')
await other.close()

const plain = await open(false)
assert.equal(await plain.page.$eval('[data-copy]', () => true).catch(() => false), false)
await plain.page.click('#token [name=machine]')
await press(plain.page, '#token', 'token')
assert.equal(await plain.page.$eval('button[data-copy]', (button) => button.hidden), true)
await press(plain.page, '#token .result', 'inspect')
assert.match(await content(plain.page, '#report'), /An access token of the machine/)
assert.deepEqual(plain.seen.errors, [])
passed('without scripts')

const narrow = await open(true)
for (const scheme of ['light', 'dark']) {
  await narrow.page.emulateMediaFeatures([{ name: 'prefers-color-scheme', value: scheme }])
  await narrow.page.setViewport({ width: 360, height: 700 })
  const overflow = await narrow.page.evaluate(() => document.documentElement.scrollWidth - innerWidth)
  assert.ok(overflow <= 0, `${scheme}: ${overflow} pixels too wide`)
}
const background = await narrow.page.evaluate(() => getComputedStyle(document.body).backgroundColor)
assert.equal(background, 'rgb(18, 22, 27)')
passed('narrow windows, light and dark')

if (process.env.SCREENSHOT) {
  const picture = await open(true)
  await fill(picture.page, '#token [name=subject]', 'auth0|ann')
  await fill(picture.page, '#token [name=scope]', 'read:messages')
  await press(picture.page, '#token', 'token')
  await press(picture.page, '#token .result', 'inspect')
  await fill(picture.page, '#inspect [name=requirement]', 'scope("write:messages")')
  await press(picture.page, '#inspect', 'inspect')
  await picture.page.setViewport({ width: 960, height: 900, deviceScaleFactor: 0.75 })
  // From the heading to the last check.
  const clip = await picture.page.evaluate(() => {
    const box = (selector) => document.querySelector(selector).getBoundingClientRect()
    const [section, checks] = [box('#inspect'), box('#report table')]
    return { x: section.x, y: section.y + scrollY, width: section.width, height: checks.bottom - section.y + 8 }
  })
  await picture.page.screenshot({ path: process.env.SCREENSHOT, clip })
  const { size } = statSync(process.env.SCREENSHOT)
  assert.ok(size <= MAX_SCREENSHOT, `the screenshot has ${size} bytes`)
  passed(`a screenshot of ${size} bytes`)
}

await browser.close()
console.log(`page.mjs: ${checks} checks passed`)
process.exit(0)
