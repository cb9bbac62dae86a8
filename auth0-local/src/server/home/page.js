for (const button of document.querySelectorAll('button[data-copy]')) {
  const source = document.getElementById(button.dataset.copy)
  button.hidden = false
  button.addEventListener('click', async () => {
    source.select()
    try {
      await navigator.clipboard.writeText(source.value)
      button.textContent = 'Copied'
    } catch {
      button.textContent = 'Selected: press Ctrl-C'
    }
    setTimeout(() => { button.textContent = 'Copy' }, 2000)
  })
}
