//! A grant: everything that one principal may do and use, compiled from the rows for it.
//!
//! A grant is layers: the rows of the matrix, the manifest (what the component asked for), and for a forged component
//! the grant of its maker. An action is allowed where every layer allows it, and no veto is against it. The layers are asked one after the other
//! and their patterns are never intersected, so no pattern arithmetic can widen a grant; what is intersected is only
//! shown, and signed in approvals.

use std::sync::Arc;

use rustc_hash::FxHashMap;
use wasmill_registry::{Limits, Permissions};

use super::action::Action;
use super::column::{Column, Columns};
use super::decision::{Decision, Denial, Layer, RowRef};
use super::limits::GrantLimits;
use super::matrix::Matrix;
use super::meet;
use super::principal::{Origin, Principal};
use super::risk::Risk;
use super::rules::Rules;
use super::veto::{Holder, Veto};

/// What one principal may do and use, under one revision of the matrix. Immutable and cheap to clone.
#[derive(Debug, Clone)]
pub struct Grant(Arc<Inner>);

#[derive(Debug, Clone)]
struct Inner {
    principal: Principal,
    revision: Arc<str>,
    home_row: Option<RowRef>,
    matrix: Rules,
    manifest: Option<Rules>,
    maker: Option<Grant>,
    effective: Permissions,
    /// Privileged columns that the effective permissions touch.
    privileged: Columns,
    /// Those of them that are closed until an admin approves.
    closed: Columns,
    risk: Risk,
    limits: GrantLimits,
    /// Who may deny what the layers allow, and how it knows this principal.
    veto: Option<(Arc<Veto>, Holder)>,
    /// Names without a star for which all layers were asked beforehand, with the line that allows them.
    hot: [FxHashMap<Box<str>, u32>; Column::ALL.len()],
}

impl Matrix {
    /// Compiles the grant of one principal.
    ///
    /// `wanted` is what a component's manifest asks for; a client has none and gets what the rows say. `maker` is the
    /// grant of whoever had the component forged. A grant that touches a privileged column is closed there until
    /// [`Grant::approved`]; a client has nothing that could be approved, so the rows alone decide for it.
    pub fn grant(
        &self,
        principal: &Principal,
        wanted: Option<&Permissions>,
        wanted_limits: Option<&Limits>,
        maker: Option<&Grant>,
    ) -> Grant {
        let mut matrix = Rules::default();
        let mut effective = Permissions::default();
        for row in self.rows_for(principal) {
            matrix.add(&row.permissions, row.line);
            meet::join(&mut effective, &row.permissions);
        }
        let manifest = wanted.map(|wanted| {
            effective = meet::meet(wanted, &effective);
            let mut rules = Rules::default();
            rules.add(wanted, 0);
            rules
        });
        if let Some(maker) = maker {
            effective = meet::meet(&effective, maker.effective());
        }
        meet::normalize(&mut effective);
        let rows = self.rows_for(principal).map(|row| (row.principal.text(), row.line, &row.limits));
        let limits =
            GrantLimits::resolve(self.host_limits(), rows, wanted_limits, maker.map(|m| (m.principal(), m.limits())));
        let privileged = Columns::touched_by(&effective).intersection(self.privileged());
        let closed = if wanted.is_some() { privileged } else { Columns::default() };
        let veto = self.veto().map(|veto| {
            let makers = std::iter::successors(maker, |maker| maker.maker()).map(|maker| maker.principal().to_string());
            (veto.clone(), Holder::new(self, principal, makers.collect(), &limits))
        });
        Grant::new(Inner {
            principal: principal.clone(),
            revision: self.revision().clone(),
            home_row: self.home_row(principal),
            matrix,
            manifest,
            maker: maker.cloned(),
            privileged,
            risk: self.risks().of_permissions(&effective),
            effective,
            closed,
            limits,
            veto,
            hot: Default::default(),
        })
    }
}

impl Grant {
    fn new(mut inner: Inner) -> Self {
        inner.hot = Default::default();
        for column in Column::ALL.into_iter().filter(|column| !inner.closed.contains(*column)) {
            let layers = std::iter::once(&inner.matrix).chain(&inner.manifest);
            let names: Vec<Box<str>> = layers.flat_map(|rules| rules.exact_names(column)).map(Into::into).collect();
            for name in names {
                let decision = Action::parse(column, Some(&name)).map(|action| inner.ask_layers(action));
                if let Ok(Decision::Allowed { line }) = decision {
                    inner.hot[column as usize].insert(name, line);
                }
            }
        }
        Self(Arc::new(inner))
    }

    /// May this principal do this? One lookup for a name that stands in the matrix or the manifest without a star;
    /// otherwise one more, and a comparison with each pattern of the column, per layer. Where there is a veto, what is
    /// allowed takes one more lookup, and the first time the policy's own time.
    pub fn check(&self, action: Action<'_>) -> Decision {
        match (self.by_layers(action), &self.0.veto) {
            (Decision::Allowed { line }, Some((veto, holder))) => self.0.ask_veto(veto, holder, action, line),
            (decision, _) => decision,
        }
    }

    fn by_layers(&self, action: Action<'_>) -> Decision {
        if let Some(&line) = self.0.hot[action.column() as usize].get(action.name()) {
            return Decision::Allowed { line };
        }
        self.0.ask_layers(action)
    }

    /// The same grant, open in its privileged columns. Only for who has verified an admin's approval of exactly
    /// [`Grant::effective`] for exactly this component.
    pub fn approved(&self) -> Self {
        Self::new(Inner { closed: Columns::default(), ..(*self.0).clone() })
    }

    /// Who holds it.
    pub fn principal(&self) -> &Principal {
        &self.0.principal
    }

    /// Where the principal comes from.
    pub fn origin(&self) -> Origin {
        match &self.0.maker {
            Some(maker) => Origin::Forged { maker: maker.principal().clone() },
            None => Origin::Published,
        }
    }

    /// Revision of the matrix that it was compiled from.
    pub fn revision(&self) -> &Arc<str> {
        &self.0.revision
    }

    /// What all layers allow, as one set of patterns, sorted: for display, and what an approval is given for.
    ///
    /// Where two patterns overlap and neither covers the other, the component's own stands here; what is allowed is
    /// decided by the layers and can only be less.
    pub fn effective(&self) -> &Permissions {
        &self.0.effective
    }

    /// Privileged columns that the grant touches: empty, or the component needs an approval.
    pub fn privileged(&self) -> Columns {
        self.0.privileged
    }

    /// The highest risk class of the columns that the grant touches.
    pub fn risk(&self) -> Risk {
        self.0.risk
    }

    /// True where privileged columns are closed because no admin has approved.
    pub fn awaits_approval(&self) -> bool {
        !self.0.closed.is_empty()
    }

    /// The grant of whoever had it forged or started, as it is now.
    pub fn maker(&self) -> Option<&Grant> {
        self.0.maker.as_ref()
    }

    /// This grant, that of its maker, that of the maker's maker, and so on: all to whom what it uses is counted.
    pub fn payers(&self) -> impl Iterator<Item = &Grant> {
        std::iter::successors(Some(self), |grant| grant.maker())
    }

    /// Limits.
    pub fn limits(&self) -> &GrantLimits {
        &self.0.limits
    }
}

impl Inner {
    fn ask_layers(&self, action: Action<'_>) -> Decision {
        let Some(line) = self.matrix.find(action) else {
            return self.deny(action, Layer::Matrix { row: self.home_row.clone() });
        };
        if self.manifest.as_ref().is_some_and(|rules| rules.find(action).is_none()) {
            return self.deny(action, Layer::Manifest);
        }
        if let Some(Decision::Denied(denial)) = self.maker.as_ref().map(|maker| maker.by_layers(action)) {
            return self.deny(action, Layer::Maker { denial });
        }
        if self.closed.contains(action.column()) {
            return self.deny(action, Layer::Approval);
        }
        Decision::Allowed { line }
    }

    /// What all layers allow: whether anything is against it, here or for the maker.
    fn ask_veto(&self, veto: &Veto, holder: &Holder, action: Action<'_>, line: u32) -> Decision {
        if let Some(layer) = veto.against(holder, action, line) {
            return self.deny(action, layer);
        }
        match self.maker.as_ref().map(|maker| maker.check(action)) {
            Some(Decision::Denied(denial)) => self.deny(action, Layer::Maker { denial }),
            _ => Decision::Allowed { line },
        }
    }

    #[cold]
    fn deny(&self, action: Action<'_>, layer: Layer) -> Decision {
        Decision::Denied(Box::new(Denial { principal: self.principal.clone(), attempt: action.into(), layer }))
    }
}
