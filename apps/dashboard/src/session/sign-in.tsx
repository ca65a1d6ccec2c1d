import { useState, type FormEvent } from 'react';
import { getJson } from '../api/client';

interface SignInProps {
  /** Why the operator has to sign in again. */
  readonly reason: string | undefined;
  readonly onKey: (key: string) => void;
}

/** Asks for an API key and tries it before it is kept. */
export function SignIn({ reason, onKey }: SignInProps) {
  const [text, setText] = useState('');
  const [problem, setProblem] = useState(reason);
  const [busy, setBusy] = useState(false);

  const submit = async (event: FormEvent): Promise<void> => {
    event.preventDefault();
    const key = text.trim();
    if (key === '') return setProblem('Paste a key first.');
    setBusy(true);
    const result = await getJson('/v1/fleet', key, new AbortController().signal);
    setBusy(false);
    if (result.ok) return onKey(key);
    const { failure } = result;
    if (failure.kind === 'unauthenticated') setProblem('The fleet does not know this key.');
    else setProblem(failure.kind === 'refused' ? failure.detail : 'The fleet does not answer.');
  };

  return (
    <main className="sign-in">
      <form onSubmit={(event) => void submit(event)} className="card">
        <h1>Seedfleet</h1>
        <label htmlFor="key">API key</label>
        <input
          id="key"
          type="password"
          autoComplete="off"
          spellCheck={false}
          autoFocus
          value={text}
          onChange={(event) => setText(event.target.value)}
          aria-describedby="key-hint"
          aria-invalid={problem !== undefined}
        />
        <p id="key-hint" className="muted">
          The first administrator key lies in the file that the market API wrote at its first start. It is kept for this
          browser tab only.
        </p>
        <p role="alert" className="problem">
          {problem}
        </p>
        <button type="submit" disabled={busy}>
          {busy ? 'Trying…' : 'Open'}
        </button>
      </form>
    </main>
  );
}
