import { NAME_LENGTH_MAX, SEGMENT_STEP } from '../../../core/limits.ts'
import type { SegmentRow } from '../../../core/store.ts'
import { STORED_SHOWN_MAX } from './limits.ts'
import { grouped } from './words.ts'

/** What the store has, for who has logged in; or why that cannot be told. */
export type Stored =
  | { readonly rows: readonly SegmentRow[]; readonly after: string }
  | { readonly refusal: string }

export function Login() {
  return (
    <section aria-labelledby="login">
      <h2 id="login">Administration</h2>
      <form method="post" action="/status/login" class="login">
        <input type="text" name="username" value="admin" autocomplete="username" hidden />
        <label>
          Admin token
          <input type="password" name="token" required autocomplete="current-password" />
        </label>
        <button type="submit">Log in</button>
      </form>
    </section>
  )
}

export function NoAdministration() {
  return (
    <section aria-labelledby="administration">
      <h2 id="administration">Administration</h2>
      <p>
        Off. To make, advance and retire sequences here, set <code>admin.token</code> in config.yml, or{' '}
        <code>SEQSVR_ADMIN_TOKEN</code>, to 16 or more characters, and restart.
      </p>
    </section>
  )
}

/** A form that failed, by its action, and what was typed into it. */
export interface Typed {
  readonly action: string
  readonly form: URLSearchParams
}

/** The forms: one that failed is filled in again. */
export function Operator({ stored, typed }: { stored: Stored; typed: Typed | undefined }) {
  const of = (action: string, name: string) => (typed?.action === action ? (typed.form.get(name) ?? '') : '')
  return (
    <section aria-labelledby="administration">
      <h2 id="administration">Administration</h2>
      <div class="forms">
        <form method="post" action="/status/create">
          <h3>Create a sequence</h3>
          <NameField value={of('/status/create', 'name')} />
          <label>
            First id
            <input
              name="start"
              inputmode="numeric"
              size={12}
              placeholder="1"
              value={of('/status/create', 'start')}
            />
          </label>
          <label>
            Step (ids a lease)
            <input
              name="step"
              inputmode="numeric"
              size={8}
              placeholder={grouped(SEGMENT_STEP)}
              value={of('/status/create', 'step')}
            />
          </label>
          <button type="submit">Create</button>
        </form>
        <form method="post" action="/status/advance">
          <h3>Advance a sequence</h3>
          <NameField value={of('/status/advance', 'name')} />
          <label>
            By or to
            <select name="how">
              <option value="by">by</option>
              <option value="to" selected={of('/status/advance', 'how') === 'to'}>
                to
              </option>
            </select>
          </label>
          <label>
            Number
            <input name="ids" inputmode="numeric" size={12} required value={of('/status/advance', 'ids')} />
          </label>
          <button type="submit">Advance</button>
        </form>
        <form method="post" action="/status/retire">
          <h3>Retire a sequence</h3>
          <NameField value={of('/status/retire', 'name')} />
          <button type="submit">Retire…</button>
        </form>
      </div>
      <h2>In the store</h2>
      <StoredSequences stored={stored} />
    </section>
  )
}

function NameField({ value }: { value: string }) {
  return (
    <label>
      Name
      <input
        name="name"
        list="names"
        size={16}
        required
        maxlength={2 * NAME_LENGTH_MAX}
        autocomplete="off"
        autocapitalize="off"
        spellcheck={false}
        value={value}
      />
    </label>
  )
}

function StoredSequences({ stored }: { stored: Stored }) {
  if ('refusal' in stored) return <p class="fault">{stored.refusal}</p>
  const { rows, after } = stored
  if (rows.length === 0)
    return <p class="note">{after === '' ? 'No named sequence yet.' : `Nothing after ${after}.`}</p>
  const shown = rows.slice(0, STORED_SHOWN_MAX)
  return (
    <>
      <datalist id="names">
        {shown.map(({ name }) => (
          <option value={name} />
        ))}
      </datalist>
      <table>
        <thead>
          <tr>
            <th scope="col">Name</th>
            <th scope="col" class="number">
              Next lease from
            </th>
            <th scope="col" class="number">
              Step (ids a lease)
            </th>
          </tr>
        </thead>
        <tbody>
          {shown.map(({ name, maxId, step }) => (
            <tr>
              <td>{name}</td>
              <td class="number">{grouped(maxId)}</td>
              <td class="number">{grouped(step)}</td>
            </tr>
          ))}
        </tbody>
      </table>
      {rows.length > shown.length && (
        <p>
          <a href={`/?after=${encodeURIComponent(shown.at(-1)?.name ?? '')}`}>More</a>
        </p>
      )}
    </>
  )
}

/** Asked before a sequence is retired. */
export function ConfirmRetirement({ name }: { name: string }) {
  return (
    <section aria-labelledby="confirm">
      <h1 id="confirm">Retire {name}?</h1>
      <p>
        Requests for it will fail from now on, here at once and on other instances after the ids that they
        hold. Made again later, it goes on above all ids that it gave.
      </p>
      <form method="post" action="/status/retire" class="confirm">
        <input type="hidden" name="name" value={name} />
        <input type="hidden" name="confirmed" value="yes" />
        <button type="submit" class="danger">
          Retire it
        </button>
        <a href="/">Keep it</a>
      </form>
    </section>
  )
}
