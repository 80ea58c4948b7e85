export default {
  cacheComponents: true,
  partialPrefetching: true,
  rewrites: () => [{ source: '/data/:path*', destination: `${process.env.SITE}data/:path*` }],
};
