/** The variables that the measured processes start from: no key, so that the simulator plays the model, and no settings. */
export function inherited(): NodeJS.ProcessEnv {
  return Object.fromEntries(
    Object.entries(process.env).filter(([name]) => !name.startsWith('BATON_') && !name.startsWith('ANTHROPIC_')),
  );
}
