import 'reflect-metadata';

// In native-ESM test files `jest` is not a global; put it back.
globalThis.jest = import.meta.jest;
