//! A registry that speaks the OCI distribution protocol.
//!
//! <https://github.com/opencontainers/distribution-spec/blob/main/spec.md>

use async_trait::async_trait;
use reqwest::header::{ACCEPT, LINK};
use reqwest::{RequestBuilder, Response, StatusCode, Url};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use wasmill_registry::{IMAGE_MANIFEST_SIZE_MAX, Image, Part};

use super::credentials::Credentials;
use super::error::RegistryError;
use super::fetch::{Http, body, expect};
use super::location::{At, Location, Repository, is_loopback, version_of};
use super::pull::Reader;
use super::search::Offer;
use super::session::Session;

/// Largest page of a list, in bytes.
const PAGE_SIZE_MAX: usize = 1024 * 1024;
/// Most pages of a list.
const PAGES_MAX: usize = 32;

/// One repository of a registry, or the registry itself where the repository's path is empty.
pub struct Oci {
    session: Session,
    base: Url,
    repository: Repository,
}

#[derive(Deserialize)]
struct Tags {
    tags: Option<Vec<String>>,
}

#[derive(Deserialize)]
struct Catalog {
    repositories: Option<Vec<String>>,
}

impl Oci {
    /// A repository. Credentials go nowhere without encryption, but to this machine itself.
    ///
    /// # Errors
    /// [`RegistryError::PlainHttp`]; where the system's certificates can't be read.
    pub fn new(
        repository: Repository,
        plain_http: bool,
        credentials: Option<Credentials>,
    ) -> Result<Self, RegistryError> {
        let at = |scheme: &str| {
            let url = Url::parse(&format!("{scheme}://{}/v2/", repository.host));
            url.map_err(|error| RegistryError::Location { text: repository.host.clone(), reason: error.to_string() })
        };
        let https = at("https")?;
        let base = if plain_http || is_loopback(&https) { at("http")? } else { https };
        let may_know = base.scheme() == "https" || is_loopback(&base);
        let session = Session::new(Http::new(&base, plain_http)?, credentials.filter(|_| may_know));
        Ok(Self { session, base, repository })
    }

    /// What the repository is called in messages.
    pub(super) fn place(&self) -> String {
        format!("{}/{}", self.repository.host, self.repository.path)
    }

    pub(super) fn client(&self) -> &reqwest::Client {
        self.session.client()
    }

    /// An address within the repository.
    pub(super) fn url(&self, rest: &str) -> Result<Url, RegistryError> {
        self.join(&format!("{}/{rest}", self.repository.path))
    }

    fn join(&self, path: &str) -> Result<Url, RegistryError> {
        self.base.join(path).map_err(|error| RegistryError::Answer { place: self.place(), reason: error.to_string() })
    }

    /// An address that an answer names: of this registry, and no other server.
    pub(super) fn own(&self, address: &str) -> Result<Url, RegistryError> {
        let url = self.join(address)?;
        if url.origin() == self.base.origin() {
            return Ok(url);
        }
        Err(RegistryError::Answer { place: self.place(), reason: "it leads to another server".into() })
    }

    /// Sends a request.
    pub(super) async fn ask(&self, request: RequestBuilder) -> Result<Response, RegistryError> {
        self.session.ask(request, &self.place()).await
    }

    /// All pages of a list.
    async fn pages<T: DeserializeOwned>(&self, first: Url) -> Result<Vec<T>, RegistryError> {
        let place = self.place();
        let (mut pages, mut next) = (Vec::new(), Some(first));
        while let Some(url) = next.take() {
            if pages.len() == PAGES_MAX {
                return Err(RegistryError::Answer { place, reason: format!("a list has more than {PAGES_MAX} pages") });
            }
            let response = expect(self.ask(self.client().get(url)).await?, &place)?;
            let link = response.headers().get(LINK).and_then(|value| value.to_str().ok()).and_then(next_link);
            next = link.map(|link| self.own(&link)).transpose()?;
            let page = serde_json::from_slice(&body(response, &place, PAGE_SIZE_MAX).await?);
            pages
                .push(page.map_err(|error| RegistryError::Answer { place: place.clone(), reason: error.to_string() })?);
        }
        Ok(pages)
    }

    /// The names below the repository's path that hold this text, as the registry's catalog has them.
    ///
    /// # Errors
    /// [`RegistryError`]; a registry may have no catalog.
    pub async fn names(&self, text: &str) -> Result<Vec<String>, RegistryError> {
        let pages: Vec<Catalog> = self.pages(self.join("_catalog?n=1000")?).await?;
        let all = pages.into_iter().flat_map(|page| page.repositories.unwrap_or_default());
        let path = &self.repository.path;
        let below = all.filter_map(|name| match path.is_empty() {
            true => Some(name),
            false => Some(name.strip_prefix(path)?.strip_prefix('/')?.to_owned()),
        });
        let is_ours = |name: &String| wasmill_registry::check_component_name(name).is_ok() && name.contains(text);
        Ok(below.filter(is_ours).collect())
    }

    /// The manifest at a tag or a digest, where one is.
    ///
    /// # Errors
    /// [`RegistryError`].
    pub async fn manifest_at(&self, at: &str) -> Result<Option<Vec<u8>>, RegistryError> {
        let place = format!("{} at {at}", self.place());
        let request = self.client().get(self.url(&format!("manifests/{at}"))?).header(ACCEPT, Image::media_type());
        let response = self.ask(request).await?;
        if response.status() == StatusCode::NOT_FOUND {
            return Ok(None);
        }
        body(expect(response, &place)?, &place, IMAGE_MANIFEST_SIZE_MAX).await.map(Some)
    }
}

/// The address of the next page: `</v2/_catalog?last=b&n=2>; rel="next"`.
fn next_link(header: &str) -> Option<String> {
    let (address, rest) = header.trim().strip_prefix('<')?.split_once('>')?;
    rest.contains("next").then(|| address.to_owned())
}

#[async_trait]
impl Reader for Oci {
    async fn offers(&self) -> Result<Vec<Offer>, RegistryError> {
        let pages: Vec<Tags> = self.pages(self.url("tags/list?n=1000")?).await?;
        let tags = pages.into_iter().flat_map(|page| page.tags.unwrap_or_default());
        // A repository is called as its component, at the end; what is in it is seen when it is pulled.
        let name = self.repository.path.rsplit('/').next().unwrap_or_default().to_owned();
        let offer = |tag: String| {
            let at = At::Tag(tag.clone());
            let location = Location::Oci(Repository { at: at.clone(), ..self.repository.clone() });
            Some(Offer { name: name.clone(), version: version_of(&tag)?, location, at })
        };
        Ok(tags.filter_map(offer).collect())
    }

    async fn manifest(&self, at: &At) -> Result<Vec<u8>, RegistryError> {
        let at = match at {
            At::Digest(digest) => digest.to_oci(),
            At::Tag(tag) => tag.clone(),
            At::Newest => return Err(RegistryError::NotFound(self.place())),
        };
        let manifest = self.manifest_at(&at).await?;
        manifest.ok_or_else(|| RegistryError::NotFound(format!("{} at {at}", self.place())))
    }

    async fn blob(&self, part: &Part) -> Result<Vec<u8>, RegistryError> {
        let place = format!("{} in {}", part.digest.to_oci(), self.place());
        let request = self.client().get(self.url(&format!("blobs/{}", part.digest.to_oci()))?);
        body(expect(self.ask(request).await?, &place)?, &place, part.size).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_next_page_is_where_the_registry_says() {
        assert_eq!(next_link("</v2/_catalog?last=b&n=2>; rel=\"next\"").as_deref(), Some("/v2/_catalog?last=b&n=2"));
        for header in ["", "<", "<a", "/v2/_catalog; rel=next", "<a>; rel=\"prev\""] {
            assert_eq!(next_link(header), None, "{header}");
        }
    }

    fn oci(text: &str, plain_http: bool) -> Oci {
        let Ok(Location::Oci(repository)) = text.parse::<Location>() else { panic!("{text}") };
        let credentials = Credentials { user: "ada".into(), password: "s3cret".into() };
        Oci::new(repository, plain_http, Some(credentials)).unwrap_or_else(|error| panic!("{error}"))
    }

    #[test]
    fn credentials_go_nowhere_without_encryption_but_to_this_machine() {
        assert!(oci("oci://registry.example.com/a", false).session.knows_credentials());
        assert!(oci("oci://127.0.0.1:5000/a", false).session.knows_credentials());
        let plain = oci("oci://registry.example.com/a", true);
        assert_eq!((plain.base.scheme(), plain.session.knows_credentials()), ("http", false));
    }

    #[test]
    fn no_answer_leads_to_another_server() {
        let registry = oci("oci://127.0.0.1:5000/a", false);
        assert!(registry.own("/v2/a/blobs/uploads/1?_state=x").is_ok());
        assert!(registry.own("http://127.0.0.1:5000/v2/a/blobs/uploads/1").is_ok());
        for address in
            ["http://127.0.0.1:5001/", "//evil.example.com/", "https://127.0.0.1:5000/", "file:///etc/passwd"]
        {
            assert!(registry.own(address).is_err(), "{address}");
        }
    }
}
