/** The first word of the parent starts the server; it is loaded beforehand, which is most of what a start takes. */
process.once('message', () => void import('../src/main.js'));
await import('../src/server.js');
