/** Addresses 127.0.0.1 to 127.0.0.64: as many nodes as one machine is likely to bear. */
export const MAX_NODES = 64;
