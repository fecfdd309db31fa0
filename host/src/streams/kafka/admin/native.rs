//! Requests of librdkafka's admin API that rdkafka leaves out: single settings of a topic, and access rules.

use std::ffi::{CStr, CString, c_char, c_int};
use std::ptr::{NonNull, null, null_mut};
use std::time::Duration;

use rdkafka::bindings as sys;
use rdkafka::client::{Client, ClientContext};
use rdkafka::error::{IsError, RDKafkaErrorCode};

use super::acl::{Acl, AclOperation, AclPattern, AclResource};

/// How much longer than the request itself its answer is waited for.
const GRACE: Duration = Duration::from_secs(2);

/// Why a request failed.
#[derive(Debug)]
pub(super) struct NativeError {
    pub(super) code: RDKafkaErrorCode,
    pub(super) text: String,
}

impl NativeError {
    fn of(code: RDKafkaErrorCode) -> Self {
        Self { code, text: code.to_string() }
    }
}

/// Sets some settings of a topic and leaves the others as they are. Blocks.
pub(super) fn set_topic_settings<C: ClientContext>(
    client: &Client<C>,
    topic: &str,
    settings: &[(&str, String)],
    wait: Duration,
) -> Result<(), NativeError> {
    let resource = Resource::topic(topic)?;
    for (name, value) in settings {
        resource.set(name, value)?;
    }
    let op = sys::rd_kafka_admin_op_t::RD_KAFKA_ADMIN_OP_INCREMENTALALTERCONFIGS;
    let event = ask(client, op, wait, |client, options, queue| {
        let mut resources = [resource.0.as_ptr()];
        // SAFETY: all are alive; librdkafka copies the resources.
        unsafe { sys::rd_kafka_IncrementalAlterConfigs(client, resources.as_mut_ptr(), 1, options, queue) };
    })?;
    // SAFETY: the event is alive and of this kind, or the answer is null; the resources live as long as the event.
    unsafe {
        let result = sys::rd_kafka_event_IncrementalAlterConfigs_result(event.0.as_ptr());
        if result.is_null() {
            return Err(NativeError::of(RDKafkaErrorCode::Fail));
        }
        let mut count = 0;
        let answers = sys::rd_kafka_IncrementalAlterConfigs_result_resources(result, &mut count);
        for i in 0..count {
            let answer = *answers.add(i);
            let code = sys::rd_kafka_ConfigResource_error(answer);
            if code.is_error() {
                return Err(NativeError {
                    code: code.into(),
                    text: text(sys::rd_kafka_ConfigResource_error_string(answer)),
                });
            }
        }
    }
    Ok(())
}

/// What we may do with the cluster itself. Blocks.
pub(super) fn cluster_rights<C: ClientContext>(
    client: &Client<C>,
    wait: Duration,
) -> Result<Vec<AclOperation>, NativeError> {
    let op = sys::rd_kafka_admin_op_t::RD_KAFKA_ADMIN_OP_DESCRIBECLUSTER;
    let event = ask(client, op, wait, |client, options, queue| {
        // SAFETY: all are alive; an error would only be that these options are of another kind.
        unsafe {
            let error = sys::rd_kafka_AdminOptions_set_include_authorized_operations(options, 1);
            if !error.is_null() {
                sys::rd_kafka_error_destroy(error);
            }
            sys::rd_kafka_DescribeCluster(client, options, queue);
        }
    })?;
    // SAFETY: as in `set_topic_settings`.
    unsafe {
        let result = sys::rd_kafka_event_DescribeCluster_result(event.0.as_ptr());
        if result.is_null() {
            return Err(NativeError::of(RDKafkaErrorCode::Fail));
        }
        let mut count = 0;
        let rights = sys::rd_kafka_DescribeCluster_result_authorized_operations(result, &mut count);
        if rights.is_null() {
            return Ok(Vec::new());
        }
        Ok((0..count).filter_map(|i| operation(*rights.add(i))).collect())
    }
}

/// All rules about topics, groups, transactional names and the cluster. Blocks.
///
/// Where the broker refuses to list them, librdkafka gives an empty list: see [`super::AclView`].
pub(super) fn acls<C: ClientContext>(client: &Client<C>, wait: Duration) -> Result<Vec<Acl>, NativeError> {
    let filter = Filter::everything().ok_or_else(|| NativeError::of(RDKafkaErrorCode::Fail))?;
    let op = sys::rd_kafka_admin_op_t::RD_KAFKA_ADMIN_OP_DESCRIBEACLS;
    let event = ask(client, op, wait, |client, options, queue| {
        // SAFETY: all are alive; librdkafka copies the filter.
        unsafe { sys::rd_kafka_DescribeAcls(client, filter.0.as_ptr(), options, queue) };
    })?;
    // SAFETY: as in `set_topic_settings`.
    unsafe {
        let result = sys::rd_kafka_event_DescribeAcls_result(event.0.as_ptr());
        if result.is_null() {
            return Err(NativeError::of(RDKafkaErrorCode::Fail));
        }
        let mut count = 0;
        let bindings = sys::rd_kafka_DescribeAcls_result_acls(result, &mut count);
        Ok((0..count).filter_map(|i| acl(*bindings.add(i))).collect())
    }
}

/// Sends a request and waits for its event.
fn ask<C: ClientContext>(
    client: &Client<C>,
    op: sys::rd_kafka_admin_op_t,
    wait: Duration,
    send: impl FnOnce(*mut sys::rd_kafka_t, *mut sys::rd_kafka_AdminOptions_t, *mut sys::rd_kafka_queue_t),
) -> Result<Event, NativeError> {
    let failed = || NativeError::of(RDKafkaErrorCode::Fail);
    let native = client.native_ptr();
    // SAFETY: the client is alive, here and in what follows.
    let queue = Queue(NonNull::new(unsafe { sys::rd_kafka_queue_new(native) }).ok_or_else(failed)?);
    // SAFETY: as above.
    let options = Options(NonNull::new(unsafe { sys::rd_kafka_AdminOptions_new(native, op) }).ok_or_else(failed)?);
    // SAFETY: the options are alive; no text of an error is asked for.
    unsafe { sys::rd_kafka_AdminOptions_set_request_timeout(options.0.as_ptr(), millis(wait), null_mut(), 0) };
    send(native, options.0.as_ptr(), queue.0.as_ptr());
    // SAFETY: the queue is alive; the event is ours.
    let event = unsafe { sys::rd_kafka_queue_poll(queue.0.as_ptr(), millis(wait + GRACE)) };
    let event = Event(NonNull::new(event).ok_or_else(|| NativeError::of(RDKafkaErrorCode::OperationTimedOut))?);
    // SAFETY: the event is alive.
    let code = unsafe { sys::rd_kafka_event_error(event.0.as_ptr()) };
    if code.is_error() {
        // SAFETY: as above; the text lives as long as the event.
        let text = unsafe { text(sys::rd_kafka_event_error_string(event.0.as_ptr())) };
        return Err(NativeError { code: code.into(), text });
    }
    Ok(event)
}

/// A rule in our words; none where it is about something else, or in words that this librdkafka doesn't know.
///
/// # Safety
/// The rule must be alive.
unsafe fn acl(binding: *const sys::rd_kafka_AclBinding_t) -> Option<Acl> {
    use sys::rd_kafka_ResourceType_t as Resource;
    use sys::{rd_kafka_AclPermissionType_t as Permission, rd_kafka_ResourcePatternType_t as Pattern};
    // SAFETY: the caller promises that it is alive; librdkafka has replaced values that it doesn't know.
    unsafe {
        Some(Acl {
            resource: match sys::rd_kafka_AclBinding_restype(binding) {
                Resource::RD_KAFKA_RESOURCE_TOPIC => AclResource::Topic,
                Resource::RD_KAFKA_RESOURCE_GROUP => AclResource::Group,
                Resource::RD_KAFKA_RESOURCE_BROKER => AclResource::Cluster,
                Resource::RD_KAFKA_RESOURCE_TRANSACTIONAL_ID => AclResource::TransactionalId,
                _ => return None,
            },
            pattern: match sys::rd_kafka_AclBinding_resource_pattern_type(binding) {
                Pattern::RD_KAFKA_RESOURCE_PATTERN_LITERAL => AclPattern::Literal,
                Pattern::RD_KAFKA_RESOURCE_PATTERN_PREFIXED => AclPattern::Prefixed,
                _ => return None,
            },
            name: text(sys::rd_kafka_AclBinding_name(binding)),
            operation: operation(sys::rd_kafka_AclBinding_operation(binding))?,
            principal: text(sys::rd_kafka_AclBinding_principal(binding)),
            host: text(sys::rd_kafka_AclBinding_host(binding)),
            allowed: match sys::rd_kafka_AclBinding_permission_type(binding) {
                Permission::RD_KAFKA_ACL_PERMISSION_TYPE_ALLOW => true,
                Permission::RD_KAFKA_ACL_PERMISSION_TYPE_DENY => false,
                _ => return None,
            },
        })
    }
}

fn operation(native: sys::rd_kafka_AclOperation_t) -> Option<AclOperation> {
    use sys::rd_kafka_AclOperation_t as Native;
    Some(match native {
        Native::RD_KAFKA_ACL_OPERATION_ALL => AclOperation::All,
        Native::RD_KAFKA_ACL_OPERATION_READ => AclOperation::Read,
        Native::RD_KAFKA_ACL_OPERATION_WRITE => AclOperation::Write,
        Native::RD_KAFKA_ACL_OPERATION_CREATE => AclOperation::Create,
        Native::RD_KAFKA_ACL_OPERATION_DELETE => AclOperation::Delete,
        Native::RD_KAFKA_ACL_OPERATION_ALTER => AclOperation::Alter,
        Native::RD_KAFKA_ACL_OPERATION_DESCRIBE => AclOperation::Describe,
        Native::RD_KAFKA_ACL_OPERATION_CLUSTER_ACTION => AclOperation::ClusterAction,
        Native::RD_KAFKA_ACL_OPERATION_DESCRIBE_CONFIGS => AclOperation::DescribeConfigs,
        Native::RD_KAFKA_ACL_OPERATION_ALTER_CONFIGS => AclOperation::AlterConfigs,
        Native::RD_KAFKA_ACL_OPERATION_IDEMPOTENT_WRITE => AclOperation::IdempotentWrite,
        _ => return None,
    })
}

/// # Safety
/// Null, or a text that ends with a zero byte.
unsafe fn text(native: *const c_char) -> String {
    if native.is_null() {
        return String::new();
    }
    // SAFETY: the caller promises it.
    unsafe { CStr::from_ptr(native) }.to_string_lossy().into_owned()
}

fn millis(wait: Duration) -> c_int {
    c_int::try_from(wait.as_millis()).unwrap_or(c_int::MAX)
}

fn native_text(text: &str) -> Result<CString, NativeError> {
    CString::new(text).map_err(|_| NativeError::of(RDKafkaErrorCode::InvalidArgument))
}

/// A topic whose settings are asked to change.
struct Resource(NonNull<sys::rd_kafka_ConfigResource_t>);

impl Resource {
    fn topic(name: &str) -> Result<Self, NativeError> {
        let name = native_text(name)?;
        let kind = sys::rd_kafka_ResourceType_t::RD_KAFKA_RESOURCE_TOPIC;
        // SAFETY: the name ends with a zero byte and is copied.
        let resource = unsafe { sys::rd_kafka_ConfigResource_new(kind, name.as_ptr()) };
        NonNull::new(resource).map(Self).ok_or_else(|| NativeError::of(RDKafkaErrorCode::InvalidArgument))
    }

    fn set(&self, name: &str, value: &str) -> Result<(), NativeError> {
        let (name, value) = (native_text(name)?, native_text(value)?);
        let set = sys::rd_kafka_AlterConfigOpType_t::RD_KAFKA_ALTER_CONFIG_OP_TYPE_SET;
        // SAFETY: the resource is ours; the texts end with a zero byte and are copied; the error is ours.
        unsafe {
            let error = sys::rd_kafka_ConfigResource_add_incremental_config(
                self.0.as_ptr(),
                name.as_ptr(),
                set,
                value.as_ptr(),
            );
            if error.is_null() {
                return Ok(());
            }
            let code = sys::rd_kafka_error_code(error).into();
            let text = text(sys::rd_kafka_error_string(error));
            sys::rd_kafka_error_destroy(error);
            Err(NativeError { code, text })
        }
    }
}

impl Drop for Resource {
    fn drop(&mut self) {
        // SAFETY: the resource is ours.
        unsafe { sys::rd_kafka_ConfigResource_destroy(self.0.as_ptr()) };
    }
}

/// Which rules are asked for.
struct Filter(NonNull<sys::rd_kafka_AclBindingFilter_t>);

impl Filter {
    fn everything() -> Option<Self> {
        // SAFETY: null means any name, principal and host; no text of an error is asked for.
        NonNull::new(unsafe {
            sys::rd_kafka_AclBindingFilter_new(
                sys::rd_kafka_ResourceType_t::RD_KAFKA_RESOURCE_ANY,
                null(),
                sys::rd_kafka_ResourcePatternType_t::RD_KAFKA_RESOURCE_PATTERN_ANY,
                null(),
                null(),
                sys::rd_kafka_AclOperation_t::RD_KAFKA_ACL_OPERATION_ANY,
                sys::rd_kafka_AclPermissionType_t::RD_KAFKA_ACL_PERMISSION_TYPE_ANY,
                null_mut(),
                0,
            )
        })
        .map(Self)
    }
}

impl Drop for Filter {
    fn drop(&mut self) {
        // SAFETY: the filter is ours.
        unsafe { sys::rd_kafka_AclBinding_destroy(self.0.as_ptr()) };
    }
}

struct Queue(NonNull<sys::rd_kafka_queue_t>);

impl Drop for Queue {
    fn drop(&mut self) {
        // SAFETY: the queue is ours.
        unsafe { sys::rd_kafka_queue_destroy(self.0.as_ptr()) };
    }
}

struct Options(NonNull<sys::rd_kafka_AdminOptions_t>);

impl Drop for Options {
    fn drop(&mut self) {
        // SAFETY: the options are ours.
        unsafe { sys::rd_kafka_AdminOptions_destroy(self.0.as_ptr()) };
    }
}

struct Event(NonNull<sys::rd_kafka_event_t>);

impl Drop for Event {
    fn drop(&mut self) {
        // SAFETY: the event is ours.
        unsafe { sys::rd_kafka_event_destroy(self.0.as_ptr()) };
    }
}
