export default {
  // The package and the tests are ES modules: nothing is to be transformed.
  transform: {},
};
