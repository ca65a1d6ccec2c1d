/**
 * Who may import what. One table, the same as the one in docs/ARCHITECTURE.md; the lint rule below enforces it for
 * static and dynamic imports, re-exports and require().
 *
 * libs: names of workspace libraries. packages: npm packages, or '*'. node: Node's own modules, or '*'.
 * Nothing in libs/ imports from apps/ or tools/; apps never import each other.
 */
const PURE = { node: [] };
const NEST = ['@nestjs/*', 'reflect-metadata', 'rxjs', 'zod', 'express', 'helmet'];

export const BOUNDARIES = {
  'libs/wire': { libs: [], packages: [], ...PURE },
  'libs/payment-channel': {
    libs: [],
    packages: ['bitcoinjs-lib', 'ecpair', 'tiny-secp256k1', 'secp256k1', 'bip68', 'bs58check', '@noble/hashes'],
    // The native addon is CommonJS and optional: it is loaded through createRequire, SHA-256 comes from OpenSSL.
    node: ['node:module', 'node:crypto'],
  },
  'libs/exchange': { libs: ['wire', 'payment-channel'], packages: [], ...PURE },
  'libs/channel-lifecycle': { libs: ['payment-channel'], packages: [], ...PURE },
  'libs/policy': { libs: ['payment-channel'], packages: [], ...PURE },
  'libs/books': { libs: [], packages: [], ...PURE },
  'libs/placement': { libs: [], packages: [], ...PURE },
  'libs/wallet': {
    libs: ['payment-channel'],
    packages: ['bitcoinjs-lib', 'ecpair', 'tiny-secp256k1', 'bip32', 'bip39', 'bs58check'],
    // Ciphers of the encrypted seed.
    node: ['node:crypto'],
  },
  'libs/bittorrent': {
    libs: [],
    packages: [
      'bencode',
      'bittorrent-protocol',
      'bittorrent-dht',
      'bittorrent-tracker',
      'create-torrent',
      'parse-torrent',
      'ut_metadata',
      'ut_pex',
      'utp-native',
      'ipaddr.js',
    ],
    node: '*',
  },
  'libs/bitcoin-node': { libs: [], packages: ['zeromq', 'zod'], node: '*' },
  'libs/bus': { libs: [], packages: ['@nats-io/*', '@nestjs/microservices', 'rxjs', 'zod'], node: [] },
  'libs/persistence': { libs: [], packages: ['@prisma/*', 'pg'], node: '*' },
  'libs/service-kit': { libs: ['bus'], packages: [...NEST, 'pino', 'prom-client', 'ipaddr.js'], node: '*' },

  'libs/buyer': {
    libs: ['wire', 'payment-channel', 'exchange', 'policy', 'wallet', 'bittorrent', 'bitcoin-node'],
    packages: ['zod'],
    node: '*',
  },

  'apps/swarm-node': {
    libs: ['wire', 'payment-channel', 'exchange', 'policy', 'bittorrent', 'bus', 'service-kit'],
    packages: NEST,
    node: '*',
  },
  'apps/channel-service': {
    libs: ['payment-channel', 'channel-lifecycle', 'policy', 'books', 'wallet', 'bus', 'persistence', 'service-kit'],
    packages: [...NEST, 'bullmq', 'ioredis', 'bitcoinjs-lib'],
    node: '*',
  },
  'apps/chain-watcher': {
    libs: ['bitcoin-node', 'bus', 'persistence', 'service-kit'],
    packages: [...NEST, 'bitcoinjs-lib'],
    node: '*',
  },
  'apps/market-api': {
    libs: [
      'payment-channel',
      'channel-lifecycle',
      'placement',
      'policy',
      'books',
      'bittorrent',
      'bus',
      'persistence',
      'service-kit',
    ],
    packages: [...NEST, 'bullmq', 'ioredis', 'ipaddr.js'],
    node: '*',
  },
  // Only what has no I/O at all: it runs in browsers.
  'apps/dashboard': { libs: ['books'], packages: ['react', 'react-dom', 'react-dom/*', 'recharts'], node: [] },
  'apps/leecher': {
    libs: ['buyer'],
    packages: ['zod'],
    node: '*',
  },

  'tools/fleet': { libs: '*', packages: '*', node: '*' },
  'tools/fleetctl': { libs: [], packages: [], node: '*' },
  'tools/conformance': { libs: ['wire', 'payment-channel', 'exchange', 'policy', 'wallet'], packages: '*', node: '*' },
  // Speaks to live programs as a stranger's client does: bytes come from the codecs, never from our own machines.
  'tools/interop': {
    libs: ['wire', 'payment-channel', 'fleet'],
    packages: ['bitcoinjs-lib', 'bip32', 'bip39', 'tiny-secp256k1'],
    node: '*',
  },
  'tools/deploy': {
    libs: ['bus', 'fleet', 'service-kit'],
    packages: ['yaml', 'zod', 'pg', 'kubernetes-models', 'typescript'],
    node: '*',
  },
  'tools/bench': { libs: '*', packages: '*', node: '*' },
  'tools/hostile': { libs: ['bittorrent', 'payment-channel', 'wire', 'fleet', 'interop'], packages: [], node: '*' },
  'tools/proof': { libs: '*', packages: '*', node: '*' },
};

/** What any spec file may import beyond its project's own allowance. */
export const TEST_PACKAGES = [
  '@bitauth/libauth',
  'vitest',
  'fast-check',
  'supertest',
  '@nestjs/*',
  'yaml',
  'playwright-core',
  'webtorrent',
  'webtorrent-fixtures',
];
/** Libraries that integration tests may use to bring real servers. */
export const TEST_LIBS = ['fleet'];
