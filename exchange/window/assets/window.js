// What the page does besides working: keys, the card reader's Enter, a note about the input method. Everything here is also
// done by links and forms, so without this file nothing is lost but the keys.
(function () {
  'use strict'
  const byId = (id) => document.getElementById(id)
  document.documentElement.classList.add('scripted')

  // Each key is written on the button or link that it presses.
  document.addEventListener('keydown', (e) => {
    if (e.isComposing || e.altKey || e.metaKey) return
    const key = (e.ctrlKey ? 'Ctrl+' : '') + (e.key === 'Escape' ? 'Esc' : e.key)
    const target = document.querySelector('[data-key="' + CSS.escape(key) + '"]')
    if (!target || e.repeat) return
    e.preventDefault()
    target.click()
  })

  // Up and down move in the list; Enter opens, as it does on any link.
  const rows = Array.from(document.querySelectorAll('a.row'))
  document.addEventListener('keydown', (e) => {
    const step = { ArrowDown: 1, ArrowUp: -1 }[e.key]
    if (!step || rows.length === 0 || /^(INPUT|TEXTAREA|SELECT)$/.test(document.activeElement.tagName) || e.ctrlKey || e.altKey || e.metaKey) return
    const at = rows.indexOf(document.activeElement)
    const to = at < 0 ? (step > 0 ? 0 : rows.length - 1) : Math.min(rows.length - 1, Math.max(0, at + step))
    e.preventDefault()
    rows[to].focus()
  })

  // A form is sent once: readers read a card twice.
  document.addEventListener('submit', (e) => {
    if (e.target.dataset.sent) { e.preventDefault(); return }
    e.target.dataset.sent = 'yes'
    setTimeout(() => { delete e.target.dataset.sent }, 2000)
  })

  const troubles = byId('troubles')
  if (troubles) troubles.focus()

  // Fields that a card is read into: of the applicant, and of those beside them.
  for (const number of document.querySelectorAll('input.holder')) {
    const note = byId(number.id + '-note')
    const groups = byId(number.id + '-groups')
    const consent = byId(number.dataset.then)
    // The server puts right whatever arrives; this only shows it in groups that the eye can compare with a card.
    const show = () => {
      const n = number.value.normalize('NFKC').replace(/\s/g, '').toUpperCase()
      groups.textContent = n.length < 7 ? '' : [n.slice(0, 6), n.slice(6, 14), n.slice(14)].filter(Boolean).join(' ')
    }
    number.addEventListener('input', show)
    show()
    number.addEventListener('compositionstart', () => { note.textContent = note.dataset.text })
    number.addEventListener('compositionend', () => { note.textContent = '' })
    // After the card, the consent; then Enter sends. The key must be up again, or its press would fall on the box.
    let read = false
    const end = (e) => {
      if (e.key !== 'Enter' || e.ctrlKey) return
      const composing = e.isComposing || e.keyCode === 229
      if (composing || !consent.checked) e.preventDefault()
      read = !composing && !consent.checked
    }
    number.addEventListener('keydown', end)
    number.addEventListener('keypress', end)
    number.addEventListener('keyup', (e) => {
      if (e.key === 'Enter' && read) { read = false; consent.focus() }
    })
  }
  const item = byId('item')
  if (item && item.value && !troubles) byId('number').focus()

  const clock = byId('clock')
  const began = Date.now()
  const then = Date.parse(clock.dateTime)
  setInterval(() => { // the exchange's clock, in China's time whatever this machine says
    const t = new Date(then + Date.now() - began + 8 * 3600e3).toISOString()
    clock.textContent = t.slice(0, 10) + ' ' + t.slice(11, 16)
  }, 10000)
})()
