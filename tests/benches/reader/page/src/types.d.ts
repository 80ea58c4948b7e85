declare module 'virtual:flights' {
  /** Whether a value satisfies flights.schema.json. */
  const validate: (value: unknown) => boolean;
  export default validate;
}
