import { useState, type FormEvent } from 'react';
import { send, wordsOf, type ApiFailure } from '../api/client';
import type { Who } from './session';

interface SignInProps {
  /** Why the operator has to sign in again. */
  readonly reason: string | undefined;
  readonly onSignedIn: (who: Who) => void;
}

/** Trades an API key for a session. */
export function SignIn({ reason, onSignedIn }: SignInProps) {
  const [text, setText] = useState('');
  const [problem, setProblem] = useState(reason);
  const [busy, setBusy] = useState(false);

  const submit = async (event: FormEvent): Promise<void> => {
    event.preventDefault();
    const key = text.trim();
    if (key === '') return setProblem('Paste a key first.');
    setBusy(true);
    const result = await signIn(key);
    setBusy(false);
    if (result.ok) return onSignedIn(result.value);
    setProblem(signInWords(result.failure));
  };

  return (
    <main className="sign-in">
      <form onSubmit={(event) => void submit(event)} className="card">
        <h1>
          <img src="/icon.svg" alt="" width="36" height="36" /> Seedfleet
        </h1>
        <label htmlFor="key">API key</label>
        <input
          id="key"
          type="password"
          autoComplete="current-password"
          spellCheck={false}
          autoFocus
          value={text}
          onChange={(event) => setText(event.target.value)}
          aria-describedby="key-hint"
          aria-invalid={problem !== undefined}
        />
        <p id="key-hint" className="muted">
          The first administrator key lies in the file that the market API wrote at its first start. It is traded for a
          session and not kept in this browser.
        </p>
        <p role="alert" className="problem">
          {problem}
        </p>
        <button type="submit" className="primary" disabled={busy}>
          {busy ? 'Signing in…' : 'Sign in'}
        </button>
      </form>
    </main>
  );
}

export function signIn(key: string) {
  return send<Who>('POST', '/v1/session', { key });
}

export function signInWords(failure: ApiFailure): string {
  if (failure.kind === 'refused' && failure.code === 'unauthenticated') return 'The fleet does not know this key.';
  return wordsOf(failure);
}
