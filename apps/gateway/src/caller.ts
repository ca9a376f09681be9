/** There is one key, so there is one caller: its tenant, and the name under which its wishes are recorded. */
export const TENANT = 'default';
export const BY = 'api-key';
