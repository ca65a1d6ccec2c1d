/** What the DHT needs of a UDP socket: `message` events with bytes and their sender, and `close`. */
export interface DatagramPort {
  on(
    event: 'message',
    listener: (bytes: Buffer, from: { readonly address: string; readonly port: number }) => void,
  ): unknown;
  on(event: 'error' | 'close', listener: () => void): unknown;
  address(): { readonly address: string; readonly port: number };
  send(bytes: Uint8Array, offset: number, length: number, port: number, host: string, done: () => void): void;
  close(): unknown;
}
