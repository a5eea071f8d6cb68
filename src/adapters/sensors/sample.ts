const SAMPLE_MAX = 200;

/** The beginning of a text that was not understood, for a person to see. */
export const sampleOf = (text: string): string => text.trim().slice(0, SAMPLE_MAX);
