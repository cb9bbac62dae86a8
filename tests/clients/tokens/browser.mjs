// The user's browser at oidc-provider: keeps cookies, follows redirects, fills in forms.
import assert from 'node:assert/strict'

export class Browser {
  cookies = new Map()

  // It stops before this URL, where the application would answer.
  constructor(callback = 'none:') {
    this.callback = callback
  }

  async open(url, init = {}) {
    for (let next = new URL(url), options = init; ; options = {}) {
      if (next.href.startsWith(this.callback)) return (this.url = next)
      const cookie = [...this.cookies].map(([name, value]) => `${name}=${value}`).join('; ')
      const response = await fetch(next, {
        ...options,
        redirect: 'manual',
        headers: { ...options.headers, cookie },
      })
      for (const line of response.headers.getSetCookie()) {
        const [, name, value] = line.match(/^([^=]*)=([^;]*)/)
        if (value === '') this.cookies.delete(name)
        else this.cookies.set(name, value)
      }
      this.url = next
      this.page = await response.text()
      if (response.status < 300 || response.status > 399) {
        assert.equal(response.status, 200, this.page)
        return this.url
      }
      next = new URL(response.headers.get('location'), next)
    }
  }

  // Sends the form of the page, with what the user enters.
  submit(entered = {}) {
    const form = this.page.match(/<form[^>]*>/)?.[0]
    assert.ok(form, this.page)
    const attribute = (tag, name) => tag.match(new RegExp(`\\b${name}="([^"]*)"`))?.[1]
    const hidden = [...this.page.matchAll(/<input[^>]*type="hidden"[^>]*>/g)].map(([tag]) => [
      attribute(tag, 'name'),
      attribute(tag, 'value') ?? '',
    ])
    const action = new URL(attribute(form, 'action') ?? this.url, this.url)
    const body = new URLSearchParams({ ...Object.fromEntries(hidden), ...entered })
    return this.open(action, { method: 'POST', body })
  }

  // Logs in, and consents.
  async logIn() {
    await this.submit({ login: 'ann', password: 'any' })
    return this.submit()
  }
}
