/** How the services reach each server. URLs hold the credentials. */
export interface Connections {
  readonly postgres: PostgresConnection;
  readonly nats: NatsConnection;
  readonly redis: UrlConnection;
  readonly bitcoin: BitcoinConnection;
}

/** A server with one address. */
export interface UrlConnection {
  readonly url: string;
}

/** A broker. */
export interface NatsConnection extends UrlConnection {
  /** Its servers' monitoring endpoints, separated by commas; empty where they are not known. */
  readonly monitorUrls: string;
}

/** A Postgres server, and on it a database that belongs to this fleet alone. */
export interface PostgresConnection {
  /** The fleet's own database, as its owner. */
  readonly url: string;
}

/** A Bitcoin node. */
export interface BitcoinConnection {
  /** With user and password. */
  readonly rpcUrl: string;
  /** The one address on which the node publishes blocks and transactions, tcp://HOST:PORT. */
  readonly zmq: string;
  /** The node's cookie file, where the credentials came from one: it changes with each start of the node. */
  readonly cookieFile?: string;
}
