/** The part of libmime that is used here; the package brings no types. */
declare module 'libmime' {
  const libmime: {
    /** Decodes the RFC 2047 words of an unstructured text or phrase; what is no such word stays. */
    decodeWords(text: string): string;
  };
  export default libmime;
}
