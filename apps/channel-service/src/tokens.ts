/** Injection tokens of what the modules share. */
export const CONFIG = Symbol('config');
export const DATABASE = Symbol('database');
export const ECDSA = Symbol('ecdsa');
export const NETWORK = Symbol('network');
export const POLICY = Symbol('policy');
export const SIGNER = Symbol('signer');
