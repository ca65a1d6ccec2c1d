/** How a price is said: exactly, by a rule, or what default buyers accept. `reprice` is a torrent's own rule anew. */
export type PriceMode = 'default' | 'fixed' | 'piece' | 'mib' | 'formula' | 'reprice';

const TITLES: Readonly<Record<PriceMode, string>> = {
  default: 'What default buyers accept',
  fixed: 'Satoshi per piece, whatever the tier',
  piece: 'Satoshi per piece, times the tier',
  mib: 'Satoshi per MiB, times the tier',
  formula: 'Default formula at a rate per MB, times the tier',
  reprice: 'Each torrent’s own rule, at its tier’s multiplier of now',
};
const AMOUNTS: Readonly<Partial<Record<PriceMode, string>>> = {
  fixed: 'Price, satoshi per piece',
  piece: 'Price, satoshi per piece',
  mib: 'Satoshi per MiB',
  formula: 'Satoshi per MB (default buyers accept 2)',
};

export interface Price {
  readonly mode: PriceMode;
  /** As it was typed. */
  readonly amount: string;
}

interface PriceFieldsProps {
  readonly modes: readonly PriceMode[];
  readonly price: Price;
  readonly invalid: boolean;
  readonly onChange: (price: Price) => void;
}

export function PriceFields({ modes, price, invalid, onChange }: PriceFieldsProps) {
  const { mode, amount } = price;
  const amountTitle = AMOUNTS[mode];
  return (
    <div className="fields">
      <label>
        Price mode
        <select value={mode} onChange={(event) => onChange({ ...price, mode: event.target.value as PriceMode })}>
          {modes.map((value) => (
            <option key={value} value={value}>
              {TITLES[value]}
            </option>
          ))}
        </select>
      </label>
      {amountTitle !== undefined && (
        <label>
          {amountTitle}
          <input
            inputMode="decimal"
            required
            maxLength={20}
            value={amount}
            onChange={(event) => onChange({ ...price, amount: event.target.value })}
            aria-invalid={invalid}
          />
        </label>
      )}
    </div>
  );
}

/** The price as the API wants it in a change of terms. */
export function priceChange({ mode, amount }: Price): object {
  switch (mode) {
    case 'default':
      return { priceSat: null };
    case 'fixed':
      return { priceSat: amount.trim() };
    case 'reprice':
      return { reprice: true };
    default:
      return { price: { mode, rate: amount.trim() } };
  }
}
