//! https, with an authority that the system is told to trust.

use std::fs;
use std::sync::Arc;

use lastgood_tests::TestFeed;
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::Runtime;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::crypto::ring::default_provider;
use tokio_rustls::rustls::pki_types::PrivateKeyDer;

use super::server::Server;
use super::{Diagnosis, published};

/// Takes TLS off in front of a server.
struct Tls {
    url: String,
    /// The certificate of the authority, as PEM.
    authority: String,
    _runtime: Runtime,
}

impl Tls {
    fn before(server: &Server) -> Self {
        let mut params = CertificateParams::default();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let authority = CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap();
        let key = KeyPair::generate().unwrap();
        let params = CertificateParams::new(vec!["localhost".to_owned()]).unwrap();
        let certificate = params.signed_by(&key, &authority).unwrap();
        let config = ServerConfig::builder_with_provider(Arc::new(default_provider()))
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![certificate.der().clone()], PrivateKeyDer::Pkcs8(key.serialize_der().into()))
            .unwrap();
        let acceptor = TlsAcceptor::from(Arc::new(config));
        let runtime = Runtime::new().unwrap();
        let listener = runtime.block_on(TcpListener::bind("127.0.0.1:0")).unwrap();
        let url = format!("https://localhost:{}/data/", listener.local_addr().unwrap().port());
        let target = server.url.trim_start_matches("http://").split('/').next().unwrap().to_owned();
        runtime.spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let (acceptor, target) = (acceptor.clone(), target.clone());
                tokio::spawn(async move {
                    // A client that does not trust us ends it here.
                    let Ok(mut stream) = acceptor.accept(stream).await else { return };
                    let mut plain = TcpStream::connect(target).await.unwrap();
                    let _ = copy_bidirectional(&mut stream, &mut plain).await;
                });
            }
        });
        Self { url, authority: authority.pem(), _runtime: runtime }
    }

    /// Asks the doctor, whose system trusts the authority in this file.
    fn doctor(&self, feed: &TestFeed, trusted: &str) -> Diagnosis {
        let file = feed.root().join("trusted.pem");
        fs::write(&file, trusted).unwrap();
        let mut command = feed.command(&["doctor", "--json", "--url", &self.url]);
        command.env("SSL_CERT_FILE", file).env_remove("SSL_CERT_DIR");
        Diagnosis::of(command)
    }
}

#[test]
#[cfg(target_os = "linux")]
fn a_feed_on_https_is_looked_at_like_any_other() {
    let feed = published();
    let server = Server::right(&feed);
    let tls = Tls::before(&server);
    let found = tls.doctor(&feed, &tls.authority);
    found.healthy();
    found.fine("url-tls");
    found.fine("url-generation");
    let stranger = Tls::before(&server);
    let found = tls.doctor(&feed, &stranger.authority);
    let remedy = found.finds("url-reachable", "error", &["certificate"]);
    assert!(remedy.contains("certificate"), "{remedy}");
}

#[test]
fn http_where_https_is_expected_is_told() {
    let feed = published();
    let server = Server::right(&feed);
    let found = super::doctor(&feed, &["--url", &server.url.replace("http:", "https:")]);
    let remedy = found.finds("url-reachable", "error", &[]);
    assert!(remedy.contains("speaks TLS"), "{remedy}");
}
