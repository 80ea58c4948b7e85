export default {
  // Jest leaves what is in node_modules/ as it is, unless it is told otherwise.
  transformIgnorePatterns: ['/node_modules/(?!lastgood/)'],
};
