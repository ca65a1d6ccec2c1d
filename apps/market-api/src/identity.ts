/** Which fleet this is, as operators see it. */
export interface FleetIdentity {
  readonly network: string;
  readonly fleetId: string;
}

export const IDENTITY = Symbol('fleet identity');
