import { useState } from 'react';

/** Something that is shown once, to be taken along. */
export function ShownOnce({
  name,
  text,
  onDone,
}: {
  readonly name: string;
  readonly text: string;
  readonly onDone: () => void;
}) {
  const [copied, setCopied] = useState(false);
  const copy = () => void navigator.clipboard.writeText(text).then(() => setCopied(true));
  return (
    <div className="once" role="status">
      <p>
        <strong>{name}</strong> — it is shown only now:
      </p>
      <code>{text}</code>
      <div className="buttons">
        <button type="button" onClick={copy}>
          {copied ? 'Copied' : 'Copy'}
        </button>
        <button type="button" className="primary" onClick={onDone}>
          I have kept it
        </button>
      </div>
    </div>
  );
}
