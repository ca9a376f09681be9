const VALUE = { text: 'x'.repeat(200) };

/** The event that is written and read here, as the client takes it and as the storage does. */
export const PROPOSED = { type: 'Measured', data: VALUE };
export const MEASURED = { type: 'Measured', json: true, data: Buffer.from(JSON.stringify(VALUE)) };
