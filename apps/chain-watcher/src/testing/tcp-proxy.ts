import net from 'node:net';
import type { AddressInfo } from 'node:net';

/** A TCP relay that a test can cut, so that a server looks dead without being so. */
export class TcpProxy {
  readonly #sockets = new Set<net.Socket>();
  readonly #server: net.Server;
  #cut = false;

  private constructor(private readonly target: { host: string; port: number }) {
    this.#server = net.createServer((socket) => this.#relay(socket));
  }

  static async before(url: string): Promise<TcpProxy> {
    const { hostname, port } = new URL(url);
    const proxy = new TcpProxy({ host: hostname, port: Number(port) });
    await new Promise<void>((listening) => proxy.#server.listen(0, '127.0.0.1', listening));
    return proxy;
  }

  /** The URL with this relay's address in place of the server's. */
  through(url: string): string {
    const changed = new URL(url);
    changed.hostname = '127.0.0.1';
    changed.port = String((this.#server.address() as AddressInfo).port);
    return changed.href;
  }

  cut(): void {
    this.#cut = true;
    for (const socket of this.#sockets) socket.destroy();
  }

  mend(): void {
    this.#cut = false;
  }

  close(): void {
    this.cut();
    this.#server.close();
  }

  #relay(socket: net.Socket): void {
    if (this.#cut) return void socket.destroy();
    const upstream = net.connect(this.target);
    for (const end of [socket, upstream]) {
      this.#sockets.add(end);
      end.on('error', () => end.destroy());
      end.on('close', () => {
        this.#sockets.delete(end);
        socket.destroy();
        upstream.destroy();
      });
    }
    socket.pipe(upstream).pipe(socket);
  }
}
