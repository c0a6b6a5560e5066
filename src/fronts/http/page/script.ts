/**
 * What makes the page live, in the browser: each event is the new HTML of `#live`. Only what differs is changed there,
 * so that a selection stays and a screen reader hears of a changed state alone. A tab that nobody sees does not listen:
 * browsers allow six connections to a server.
 */
export const script = `
const live = document.getElementById('live')
const connection = document.getElementById('connection')
const fresh = document.createElement('template')
let source

function morph(old, now) {
  if (old.nodeName !== now.nodeName) return old.replaceWith(now.cloneNode(true))
  if (old.nodeType !== Node.ELEMENT_NODE) {
    if (old.data !== now.data) old.data = now.data
    return
  }
  for (const { name } of [...old.attributes]) if (!now.hasAttribute(name)) old.removeAttribute(name)
  for (const { name, value } of now.attributes)
    if (old.getAttribute(name) !== value) old.setAttribute(name, value)
  morphChildren(old, now)
}

function morphChildren(old, now) {
  const olds = [...old.childNodes]
  const nows = [...now.childNodes]
  for (const node of olds.slice(nows.length)) node.remove()
  nows.forEach((node, index) => {
    if (index < olds.length) morph(olds[index], node)
    else old.append(node.cloneNode(true))
  })
}

function tell(state, words) {
  connection.className = state
  connection.textContent = words
}

function follow() {
  if (document.hidden || (source && source.readyState !== EventSource.CLOSED)) return
  source = new EventSource('/status/live')
  source.onmessage = ({ data }) => {
    tell('live', 'live')
    fresh.innerHTML = JSON.parse(data)
    morphChildren(live, fresh.content)
  }
  source.onerror = () => {
    tell('lost', 'not connected, trying again')
    // Closed: the server refused, and the browser does not try again by itself.
    if (source.readyState === EventSource.CLOSED) setTimeout(follow, 5000)
  }
}

document.addEventListener('visibilitychange', () => {
  if (document.hidden) source?.close()
  follow()
})
// The answer to a form that failed is this page under the form's address, where a reload would send it again.
if (location.pathname !== '/') history.replaceState(null, '', '/')
tell('', 'connecting')
follow()
`
