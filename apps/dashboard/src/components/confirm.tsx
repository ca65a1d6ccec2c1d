import { useRef, useState, type ReactNode } from 'react';

interface ConfirmProps {
  /** On the button that asks first. */
  readonly name: string;
  /** For screen readers, where the name says too little by itself. */
  readonly label?: string;
  readonly question: ReactNode;
  /** On the button that does it. */
  readonly yes: string;
  readonly onYes: () => void;
}

/** A button for what can't be taken back: a second one does it. */
export function Confirm({ name, label, question, yes, onYes }: ConfirmProps) {
  const [asked, setAsked] = useState(false);
  const first = useRef<HTMLButtonElement>(null);
  const close = (): void => {
    setAsked(false);
    // Whoever uses the keyboard is back where they were.
    window.setTimeout(() => first.current?.focus());
  };
  if (!asked) {
    return (
      <button type="button" className="danger" ref={first} aria-label={label} onClick={() => setAsked(true)}>
        {name}
      </button>
    );
  }
  return (
    <span
      className="confirm"
      role="alertdialog"
      aria-label={label ?? name}
      onKeyDown={({ key }) => key === 'Escape' && close()}
    >
      <span>{question}</span>
      <button
        type="button"
        className="danger"
        onClick={() => {
          close();
          onYes();
        }}
      >
        {yes}
      </button>
      <button type="button" autoFocus onClick={close}>
        No
      </button>
    </span>
  );
}
