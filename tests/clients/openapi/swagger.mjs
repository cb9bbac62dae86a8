// A user of Swagger UI: logs in at auth0-local, and calls operations with "Try it out".
//
//     node swagger.mjs BROWSER FOLDER API...
//
// BROWSER is the program of Chromium. FOLDER receives a screenshot for each API, which is an OpenAPI example with a
// tenant of its own. `.ci/openapi` starts them.
import assert from 'node:assert/strict'
import path from 'node:path'
import puppeteer from 'puppeteer-core'

const [executablePath, folder, ...apis] = process.argv.slice(2)
assert.ok(apis.length > 0, 'usage: node swagger.mjs BROWSER FOLDER API...')

let checks = 0
function passed(what) {
  checks += 1
  console.log(`ok ${what}`)
}

const browser = await puppeteer.launch({
  executablePath,
  // The superuser has no sandbox.
  args: process.getuid() === 0 ? ['--no-sandbox'] : [],
  userDataDir: path.join(folder, 'profile'),
})

async function click(page, selector) {
  const element = await page.waitForSelector(selector)
  await element.evaluate((it) => it.click())
}

// Opens an operation and sends its request. Returns the status that the page shows.
async function execute(page, operation) {
  const block = `#operations-default-${operation}`
  if ((await page.$(`${block}.is-open`)) === null) {
    await click(page, `${block} .opblock-summary-control`)
    await click(page, `${block} .try-out__btn`)
  }
  if ((await page.$(`${block} .btn-clear`)) !== null) {
    await click(page, `${block} .btn-clear`)
    await page.waitForSelector(`${block} .live-responses-table`, { hidden: true })
  }
  await click(page, `${block} .execute`)
  const shown = await page.waitForSelector(`${block} .live-responses-table tbody .response-col_status`)
  return Number.parseInt(await shown.evaluate((it) => it.textContent), 10)
}

// Opens the page in a browser without cookies.
async function open(api) {
  const context = await browser.createBrowserContext()
  const page = await context.newPage()
  page.setDefaultTimeout(20_000)
  await page.setViewport({ width: 1100, height: 1600 })
  await page.goto(`${api}/docs/`)
  await page.waitForSelector('#operations-default-list')
  return page
}

// Logs in as this user with these scopes, in the window that the page opens.
async function logIn(page, user, scopes) {
  await click(page, '.auth-wrapper .authorize')
  for (const scope of scopes) {
    await click(page, `input[id="${scope}-authorizationCode-checkbox-auth0"]`)
  }
  const isLogin = (target) => target.url().includes('/authorize?')
  const opened = page.browserContext().waitForTarget(isLogin)
  await click(page, '.auth-container .auth.authorize')
  const window = await (await opened).page()
  assert.equal(new URL(window.url()).searchParams.get('audience'), 'https://api.local.test')
  const closed = new Promise((resolve) => window.once('close', resolve))
  await click(window, `button[name=user][value="${user}"]`)
  await closed
  const outcome = await page.waitForFunction(() => {
    const errors = document.querySelector('.auth-container .errors')
    const buttons = [...document.querySelectorAll('.auth-container button')]
    return errors?.textContent ?? buttons.find((button) => button.textContent === 'Logout')?.textContent
  })
  assert.equal(await outcome.jsonValue(), 'Logout')
  await click(page, '.auth-container .btn-done')
}

try {
  for (const [number, api] of apis.entries()) {
    const page = await open(api)
    assert.equal(await execute(page, 'list'), 401)
    assert.equal(await execute(page, 'status'), 200)
    passed(`${api}: without a login, the guarded route is 401 and the public one 200`)

    await logIn(page, 'auth0|ann', ['read:messages'])
    assert.equal(await execute(page, 'list'), 200)
    await page.screenshot({ path: path.join(folder, `swagger-${number}.png`) })
    assert.equal(await execute(page, 'write'), 403)
    passed(`${api}: after a login, the guarded route is 200, and one that needs another scope 403`)

    for (const [user, status] of [['ann', 204], ['bob', 403]]) {
      const page = await open(api)
      await logIn(page, `auth0|${user}`, ['read:messages', 'write:messages'])
      assert.equal(await execute(page, 'write'), 200)
      assert.equal(await execute(page, 'purge'), status)
    }
    passed(`${api}: a permission of the user is needed beside the scope`)
  }
} finally {
  await browser.close()
}
console.log(`${checks} passed`)
